"""Where the models are and with which key: arguments, environment and mai.toml, made one."""

from mai_sdk.config.route import (
    Credential,
    Modality,
    Route,
    Surface,
    Timeouts,
    TokenCredential,
)
from mai_sdk.config.secret import Secret

__all__ = ["Credential", "Modality", "Route", "Secret", "Surface", "Timeouts", "TokenCredential"]
