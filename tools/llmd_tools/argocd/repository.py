"""A git repository on this disk, as the one that Argo CD reads."""

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from llmd_tools.errors import ToolError

BRANCH = "main"
_WHO = {
    "GIT_AUTHOR_NAME": "test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
}


class Repository:
    """A repository, and the files that its next commit will hold, on all of its branches.

    Attributes:
        url: Where git finds it.
        files: The working tree; `commit` takes whatever is there.
    """

    def __init__(self, folder: Path) -> None:
        """Create an empty repository.

        Args:
            folder: Where it goes. It has to belong to the user who reads it: git refuses other people's.
        """
        self.files = folder / "files"
        self.files.mkdir(parents=True)
        self._store = folder / "repository.git"
        self._branches = {BRANCH}
        self.url = self._store.as_uri()
        self._git("init", "--quiet", "--bare", f"--initial-branch={BRANCH}", str(self._store))

    def branch(self, name: str) -> None:
        """Have a branch of this name too, from the next commit on."""
        self._branches.add(name)

    def commit(self, files: Mapping[str, str | None] | None = None) -> str:
        """Commit the working tree, after some files of it were written.

        Args:
            files: Text by path; `None` removes a file.

        Returns:
            The commit's id.
        """
        for path, text in (files or {}).items():
            file = self.files / path
            if text is None:
                file.unlink()
            else:
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
        tree = (f"--git-dir={self._store}", f"--work-tree={self.files}")
        self._git(*tree, "add", "--all")
        self._git(*tree, "commit", "--quiet", "--allow-empty", "--message=change")
        commit = self._git(*tree, "rev-parse", "HEAD").strip()
        for name in self._branches - {BRANCH}:
            self._git(*tree, "branch", "--force", name, commit)
        return commit

    def _git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments],
            cwd=self.files,
            env={
                "PATH": os.environ.get("PATH", os.defpath),
                "HOME": str(self.files),
                "GIT_CONFIG_NOSYSTEM": "1",
                **_WHO,
            },
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise ToolError(f"git {arguments[-1]}: {done.stderr.strip()}")
        return done.stdout
