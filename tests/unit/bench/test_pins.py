"""What the benchmark installs is pinned, without the address of anybody's registry."""

import json

from llmd_bench.contestants.cdk8s_js import PROJECT


def test_the_npm_lock_holds_hashes_and_no_registry() -> None:
    """Every package that is fetched has its hash, and no package says from where."""
    packages = json.loads((PROJECT / "package-lock.json").read_text())["packages"]
    fetched = [entry for path, entry in packages.items() if path and not entry.get("inBundle")]
    assert fetched
    assert all("integrity" in entry for entry in fetched)
    assert not any("resolved" in entry for entry in packages.values())


def test_npm_is_told_to_keep_it_so() -> None:
    """A later `npm install` in the folder writes no address either."""
    assert "omit-lockfile-registry-resolved=true" in (PROJECT / ".npmrc").read_text().splitlines()
