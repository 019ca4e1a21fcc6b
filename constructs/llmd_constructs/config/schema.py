"""The JSON schema of environment files. Editors complete and check with it."""

import json
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core.core_schema import ModelSchema

from llmd_constructs.config._docs import field_docs
from llmd_constructs.config.environment import Environment

SCHEMA_FILE = "docs/schemas/environment.schema.json"


class _Described(GenerateJsonSchema):
    """Tells what each field means."""

    def model_schema(self, schema: ModelSchema) -> dict[str, Any]:
        """The schema of a model, with the text below each field."""
        described = super().model_schema(schema)
        for name, text in field_docs(schema["cls"]).items():
            described["properties"][name]["description"] = text
        return described


def described_schema(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model, with the text below each field."""
    return model.model_json_schema(by_alias=True, schema_generator=_Described)


def schema_text() -> str:
    """The schema as text, ready to be written."""
    schema = described_schema(Environment)
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Environment"}
    properties: dict[str, Any] = {
        "extends": {
            "description": "Files that this one builds on, relative to it; this file wins.",
            "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}],
        },
        **schema["properties"],
    }
    # What a base brings is not in the file itself, so that no top-level field is required of it.
    body = {key: value for key, value in schema.items() if key not in ("title", "required", "properties")}
    return json.dumps({**head, **body, "properties": properties}, indent=2, ensure_ascii=False) + "\n"
