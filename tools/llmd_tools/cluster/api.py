"""The API server as a client sees it, with its verdict on each object in full."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from http import HTTPStatus
from typing import Any, Literal
from urllib.parse import urlencode

import urllib3

from llmd_tools.errors import ToolError

Object = Mapping[str, Any]
"""A Kubernetes object as plain values."""

Validation = Literal["Strict", "Warn", "Ignore"]
"""What the server does about a field that it does not know."""


_RETRIES = urllib3.Retry(
    connect=0,
    read=0,
    redirect=0,
    status=10,
    status_forcelist={429, 504},
    allowed_methods=None,
    raise_on_status=False,
)
"""A server that has a kind only just may ask for a moment's patience; one on a busy machine may need a second try."""


class Outcome(Enum):
    """What became of an object."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN_KIND = "unknown kind"


@dataclass(frozen=True)
class Verdict:
    """What the server says of one object.

    Attributes:
        api_version: Of the object.
        kind: Of the object.
        namespace: Of the object; empty for one that has none.
        name: Of the object.
        outcome: Whether it was taken; a kind that the server does not serve is told apart.
        message: Why it was not taken.
        warnings: What the server warned of, such as a Pod Security violation of a workload's pods.
        live: The object as the server has it now, with defaults and without what was dropped.
    """

    api_version: str
    kind: str
    namespace: str
    name: str
    outcome: Outcome
    message: str = ""
    warnings: tuple[str, ...] = ()
    live: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)

    @property
    def accepted(self) -> bool:
        """Whether the server took the object."""
        return self.outcome is Outcome.ACCEPTED

    def __str__(self) -> str:
        place = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{self.kind} {place}: {self.outcome.value}" + (f": {self.message}" if self.message else "")


@dataclass(frozen=True)
class _Resource:
    path: str
    namespaced: bool

    def url(self, namespace: str, name: str = "") -> str:
        group_version, plural = self.path.rsplit("/", 1)
        place = f"/namespaces/{namespace}" if self.namespaced and namespace else ""
        return f"{group_version}{place}/{plural}" + (f"/{name}" if name else "")


class ApiServer:
    """An API server, spoken to over connections that stay open."""

    def __init__(self, url: str, token: str, ca_file: str) -> None:
        self.url = url
        self._http = urllib3.PoolManager(
            ca_certs=ca_file, headers={"Authorization": f"Bearer {token}"}, retries=_RETRIES, maxsize=8
        )
        self._resources: dict[str, dict[str, _Resource]] = {}

    def ready(self) -> bool:
        """Whether the server answers and says that it is ready."""
        try:
            return self._request("GET", "/readyz").status == HTTPStatus.OK
        except urllib3.exceptions.HTTPError:
            return False

    def close(self) -> None:
        """Close the connections."""
        self._http.clear()

    def serves(self, api_version: str, kind: str) -> bool:
        """Whether the server has this kind by now."""
        return self._resource(api_version, kind) is not None

    def apply(
        self,
        objects: Iterable[Object],
        *,
        field_manager: str = "llmd",
        validate: Validation = "Strict",
        dry_run: bool = False,
    ) -> list[Verdict]:
        """Server-side apply objects, in the order given, and return the server's verdict on each.

        Args:
            objects: What to apply. A namespaced object that names no namespace goes to `default`.
            field_manager: The name under which fields are owned; conflicts are won.
            validate: What to do about a field that the server does not know.
            dry_run: Judge, but do not store.
        """
        query = urlencode(
            {"fieldManager": field_manager, "force": "true", "fieldValidation": validate}
            | ({"dryRun": "All"} if dry_run else {})
        )
        return [self._apply(each, query) for each in objects]

    def _apply(self, each: Object, query: str) -> Verdict:
        api_version, kind, metadata = each["apiVersion"], each["kind"], each["metadata"]
        resource = self._resource(api_version, kind)
        if resource is None:
            place = (metadata.get("namespace", ""), metadata["name"])
            message = f"the server has no kind {kind} in {api_version}"
            return Verdict(api_version, kind, *place, Outcome.UNKNOWN_KIND, message)
        namespace = metadata.get("namespace", "default") if resource.namespaced else ""
        url = resource.url(namespace, metadata["name"])
        response = self._request("PATCH", f"{url}?{query}", each, "application/apply-patch+yaml")
        answer = response.json()
        subject = (api_version, kind, namespace, metadata["name"])
        if response.status >= HTTPStatus.BAD_REQUEST:
            return Verdict(*subject, Outcome.REFUSED, answer.get("message", ""), _warnings(response))
        return Verdict(*subject, Outcome.ACCEPTED, "", _warnings(response), answer)

    def create(self, each: Object) -> bool:
        """Create an object that belongs to no namespace, without an account of who owns which field.

        Returns:
            Whether it was not there yet.

        Raises:
            ToolError: If the server refuses it.
        """
        url = self._known(each["apiVersion"], each["kind"]).url("")
        response = self._request("POST", url, each)
        if response.status == HTTPStatus.CONFLICT:
            return False
        _answer(response)
        return True

    def forget(self) -> None:
        """Ask anew which kinds there are; to be called when some have gone."""
        self._resources.clear()

    def openapi(self, api_version: str) -> str:
        """What the server publishes about an API, as JSON; empty if it does not, or not yet."""
        response = self._request("GET", f"/openapi/v3{_root(api_version)}")
        return response.data.decode() if response.status == HTTPStatus.OK else ""

    def get(self, api_version: str, kind: str, name: str, namespace: str = "") -> dict[str, Any] | None:
        """One object, or None if there is none of that name."""
        response = self._request("GET", self._known(api_version, kind).url(namespace, name))
        return None if response.status == HTTPStatus.NOT_FOUND else _answer(response)

    def list(
        self, api_version: str, kind: str, namespace: str = "", *, labels: str = ""
    ) -> list[dict[str, Any]]:
        """The objects of a kind, in one namespace or in all, with a label selector if one is given."""
        url = self._known(api_version, kind).url(namespace)
        return _answer(self._request("GET", f"{url}?{urlencode({'labelSelector': labels})}"))["items"]

    def patch(self, api_version: str, kind: str, name: str, namespace: str, change: Object) -> None:
        """Merge a change into an object; one that is not there is no error."""
        url = self._known(api_version, kind).url(namespace, name)
        response = self._request("PATCH", url, change, "application/merge-patch+json")
        if response.status != HTTPStatus.NOT_FOUND:
            _answer(response)

    def delete(self, api_version: str, kind: str, name: str, namespace: str = "") -> None:
        """Delete an object; one that is not there is no error."""
        response = self._request("DELETE", self._known(api_version, kind).url(namespace, name))
        if response.status != HTTPStatus.NOT_FOUND:
            _answer(response)

    def _known(self, api_version: str, kind: str) -> _Resource:
        resource = self._resource(api_version, kind)
        if resource is None:
            raise ToolError(f"the server has no kind {kind} in {api_version}; install its CRD first")
        return resource

    def _resource(self, api_version: str, kind: str) -> _Resource | None:
        known = self._resources.get(api_version, {})
        if kind not in known:  # asked again each time, since a CRD may have been added
            known = self._resources[api_version] = self._discover(api_version)
        return known.get(kind)

    def _discover(self, api_version: str) -> dict[str, _Resource]:
        root = _root(api_version)
        response = self._request("GET", root)
        if response.status == HTTPStatus.NOT_FOUND:
            return {}
        return {
            each["kind"]: _Resource(f"{root}/{each['name']}", each["namespaced"])
            for each in _answer(response)["resources"]
            if "/" not in each["name"]  # a subresource
        }

    def _request(
        self, method: str, path: str, body: Object | None = None, content_type: str = "application/json"
    ) -> urllib3.BaseHTTPResponse:
        headers = {**self._http.headers, "Accept": "application/json", "Content-Type": content_type}
        data = None if body is None else json.dumps(body)
        return self._http.request(method, f"{self.url}{path}", body=data, headers=headers)


def _root(api_version: str) -> str:
    return f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"


def _answer(response: urllib3.BaseHTTPResponse) -> Any:
    answer = response.json()
    if response.status >= HTTPStatus.BAD_REQUEST:
        raise ToolError(f"the API server says: {answer.get('message', answer)}")
    return answer


def _warnings(response: urllib3.BaseHTTPResponse) -> tuple[str, ...]:
    """The texts of the `Warning` headers, each of which reads `299 - "text"`."""
    return tuple(value.split('"', 1)[-1].rstrip('"') for value in response.headers.getlist("Warning"))
