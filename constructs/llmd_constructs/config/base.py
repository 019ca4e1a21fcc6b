"""What every model of the environment file shares."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, Strict, StringConstraints
from pydantic.alias_generators import to_camel


def in_words(words: str) -> Any:
    """What a pattern means, for error texts and editors."""
    return Field(json_schema_extra={"patternErrorMessage": words})


_NAME = in_words("must be lower-case letters, digits and `-`, and begin with a letter")
DnsLabel = Annotated[str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=63), _NAME]
"""A Kubernetes name that can also be a DNS label (RFC 1035): lower case, digits, `-`."""

SecretKey = Annotated[
    str,
    StringConstraints(pattern=r"^[-._a-zA-Z0-9]+$", max_length=253),
    in_words("must be letters, digits, `-`, `_` and `.`"),
]
"""A key inside a Secret or ConfigMap."""
DeploymentName = Annotated[
    str, StringConstraints(pattern=r"^[a-z]([-a-z0-9]*[a-z0-9])?$", max_length=40), _NAME
]
"""Shorter than a DNS label, because controllers append up to 23 characters to it."""
HostName = Annotated[
    str,
    StringConstraints(pattern=r"^(\*\.)?([a-z0-9]([-a-z0-9]*[a-z0-9])?\.)+[a-z]{2,}$"),
    in_words("must be a host name such as models.example.com, without `https://`, port and path"),
]
"""A host name, the first part of which may be `*`."""
ProjectId = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][-a-z0-9]{4,28}[a-z0-9]$"),
    in_words("must be a project id: 6 to 30 lower-case letters, digits and `-`"),
]
"""Id of a Google Cloud project."""
Flag = Annotated[bool, Strict()]
"""`true` or `false`, and nothing that merely looks like it."""
Whole = Annotated[int, Strict()]
"""A number without quotes and without a fraction."""


class Model(BaseModel):
    """Frozen, closed, camelCase in YAML."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        validate_by_name=False,
        validate_by_alias=True,
        defer_build=True,
    )
