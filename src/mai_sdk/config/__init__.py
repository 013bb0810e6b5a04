"""Where the models are and with which key: arguments, environment and mai.toml, made one."""

from mai_sdk.config.config import Config
from mai_sdk.config.connection import Connection
from mai_sdk.config.endpoint import normalise_endpoint, origin
from mai_sdk.config.load import load_config
from mai_sdk.config.route import (
    Api,
    Credential,
    Modality,
    Route,
    Surface,
    Timeouts,
    TokenCredential,
)
from mai_sdk.config.secret import Secret
from mai_sdk.config.settings import DEFAULT_MODELS, ROUTE_KEYS, SETTINGS, Setting

__all__ = [
    "DEFAULT_MODELS",
    "ROUTE_KEYS",
    "SETTINGS",
    "Api",
    "Config",
    "Connection",
    "Credential",
    "Modality",
    "Route",
    "Secret",
    "Setting",
    "Surface",
    "Timeouts",
    "TokenCredential",
    "load_config",
    "normalise_endpoint",
    "origin",
]
