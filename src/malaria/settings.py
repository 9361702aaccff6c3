"""Every setting, typed and documented, read from the environment as MALARIA_<NAME>.

Made only by `wiring` and the command line, never at import.
"""

from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from malaria import signing_keys


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="MALARIA_", frozen=True, hide_input_in_errors=True)

    home: Path = Field(
        Path("malaria-home"), description="Folder of the laptop mode: store, jobs, inbox, logs."
    )
    shipped: Path | None = Field(None, description="Folder of the shipped models; None: the package's own.")
    network: str | None = Field(
        None,
        description="Network that `serve` serves: mobilenet_v2, compact_cnn or ensemble; None: as promoted.",
    )
    ui: Path | None = Field(
        None, description="Folder of a built web page to serve at /; None: the package's own, else ui/dist."
    )

    host: str = Field("127.0.0.1", description="Address to listen on.")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on.")
    allowed_hosts: tuple[str, ...] = Field(
        ("127.0.0.1", "localhost", "[::1]"),
        description="Host headers answered; '*' answers all. Guards a laptop against DNS rebinding.",
    )

    access: Literal["open", "keys", "jwt"] = Field(
        "open",
        description="Who may ask: `open`, everybody who reaches the server; `keys`, who sends one (`malaria "
        "keys add`); `jwt`, whom the gateway before it has let in.",
    )

    requests_per_minute: int = Field(
        0,
        ge=0,
        description="Requests that a caller may send a minute: by key or token, where access is open by "
        "address; 0: no limit. A key may have its own. Each process counts by itself.",
    )
    pictures_per_minute: int = Field(
        0, ge=0, description="Pictures that a caller may send a minute, likewise; 0: no limit."
    )

    interpreters: int | None = Field(None, ge=1, le=64, description="Interpreters at once; None: one a core.")
    max_waiting: int = Field(64, ge=1, description="Predictions that may wait before 503 is answered.")
    max_image_bytes: int = Field(10 * 2**20, description="Largest single picture.")
    max_batch_bytes: int = Field(100 * 2**20, description="Largest body of /predict/batch.")
    max_batch_images: int = Field(10_000, description="Most pictures in one batch.")
    max_upload_bytes: int = Field(2**30, description="Largest ZIP for retraining.")

    poll_seconds: float = Field(1.0, gt=0, description="How often inbox, jobs and promotions are looked at.")
    lease_seconds: float = Field(60.0, gt=0, description="How long a silent training keeps its lease.")

    signing_key: SecretStr | None = Field(
        None,
        description="Signs ids of predictions: 32 characters or more; keys before it, still accepted, after "
        "commas. None: the home folder's own.",
    )

    keep_days: int = Field(
        0,
        ge=0,
        le=365,
        description="Days for which answered pictures are kept, to retrain on those confirmed; 0: none is.",
    )
    retrain_confirmed: int = Field(
        0,
        ge=0,
        description="Newly confirmed cells, 10 or more of each class, that open a retraining; 0: never. "
        "Needs MALARIA_KEEP_DAYS.",
    )
    retrain_drift: float = Field(
        0.0,
        ge=0,
        le=10,
        description="Standard deviations by which wrong answers to newly confirmed cells, 10 or more of each "
        "class, must exceed those expected, to open a retraining; 0: never. Needs MALARIA_KEEP_DAYS.",
    )

    base_margin: float = Field(
        0.012, ge=0, le=0.2, description="Gate: most that base sensitivity or specificity may fall."
    )
    ece_margin: float = Field(
        0.015, ge=0, le=0.2, description="Gate: most that the calibration error of base cells may rise."
    )
    site_margin: float = Field(
        0.05, ge=0, le=0.5, description="Gate: how unsure 'no worse' at the site may be."
    )
    site_class_cells: int = Field(
        100, ge=2, description="Gate: cells of a class from which a site's own rate of it is bounded, too."
    )
    gate_draws: int = Field(2000, ge=200, description="Gate: bootstrap draws over patients.")
    min_site_auc: float = Field(
        0.75,
        ge=0.5,
        le=1,
        description="Gate: AUC of the served model below which a site's labels are in doubt.",
    )
    max_doubted_labels: float = Field(
        0.1,
        ge=0,
        le=1,
        description="Gate: share of a site's labels that the served model may be sure are wrong.",
    )
    min_site_cells: int = Field(20, ge=2, description="Gate: fewest gate cells of a site to decide on.")
    min_site_per_class: int = Field(5, ge=1, description="Gate: fewest gate cells of each class.")
    max_parity: float = Field(
        1e-4, gt=0, le=0.1, description="Gate: most that a challenger's file may be off what was computed."
    )
    max_model_bytes: int = Field(16 * 2**20, ge=1, description="Gate: largest model file that is served.")
    max_gate_looks: int = Field(
        50, ge=1, description="Gate: looks at the base gate patients, after which fresh ones are due."
    )
    accept_equal: bool = Field(
        False, description="Gate: accept a challenger that is no worse, though it is not better either."
    )

    @field_validator("signing_key")
    @classmethod
    def _long_enough(cls, given: SecretStr | None) -> SecretStr | None:
        if given is not None:
            signing_keys.parse(given.get_secret_value(), ",")
        return given

    @property
    def opens_retrainings(self) -> bool:
        """Whether confirmed cells may open a retraining."""
        return self.retrain_confirmed > 0 or self.retrain_drift > 0

    @field_validator("retrain_confirmed", "retrain_drift")
    @classmethod
    def _has_pictures(cls, wanted: float, told: ValidationInfo) -> float:
        if wanted and not told.data.get("keep_days"):
            raise ValueError("it needs pictures: set MALARIA_KEEP_DAYS to the days for which they are kept")
        return wanted
