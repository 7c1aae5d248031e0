"""A study: the frozen, validated and digested description of a comparison or a stress report."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from backtester.costs.model import CostConfig
from backtester.errors import ConfigError
from backtester.fields import Number, Positive, Whole, date_text
from backtester.folds import WalkForward, parameter_sets
from backtester.regimes.labels import Labeller
from backtester.scenario_files import data_files
from backtester.study_errors import explained
from backtester.yaml_files import read_mapping

SCHEMA: Literal[1] = 1
Name = Annotated[str, Field(min_length=1, max_length=80)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ExposureSpec(_Model):
    """What is to be hedged: positions by asset here, or in a CSV file of the user's own.

    unit: ``notional`` (money at the first stamp) or ``units``. hold: ``units`` keeps the number of
    units, ``notional`` keeps the money.
    """

    positions: dict[Name, Number] | None = None
    file: str | None = None
    unit: Literal["notional", "units"] = "notional"
    hold: Literal["notional", "units"] = "units"

    @model_validator(mode="after")
    def _one_source(self) -> ExposureSpec:
        if (self.positions is None) == (self.file is None):
            raise ValueError("give either positions or a file")
        return self


class HistorySpec(_Model):
    """Prices of one's own: CSV or Parquet, wide; see `backtester.market.loaders.files`."""

    prices: str
    funding: str | None = None
    half_spread: Number | str | None = None
    depth: Number | str | None = None
    tradable: str | None = None
    calendar: Literal["24/7", "sessions"] = "24/7"
    assume_tz: str | None = None
    missing: str = "error"
    columns: tuple[Name, ...] | None = None
    start: str | None = None
    end: str | None = None

    @field_validator("start", "end", mode="before")
    @classmethod
    def _date(cls, value: Any) -> Any:
        return date_text(value)


class MarketSpec(_Model):
    """One market: real history, or an ensemble drawn from a scenario.

    `exposure`, `hedge_with` and `costs` override the study's where the market has other assets.
    """

    name: Name | None = None
    history: str | HistorySpec | None = None
    scenario: str | None = None
    paths: Annotated[Whole, Field(ge=1, le=1_000_000)] = 1000
    bars: Annotated[Whole, Field(ge=2, le=1_000_000)] = 365
    exposure: ExposureSpec | None = None
    hedge_with: tuple[Name, ...] | None = None
    costs: CostConfig | None = None

    @model_validator(mode="after")
    def _one_source(self) -> MarketSpec:
        if (self.history is None) == (self.scenario is None):
            raise ValueError("give either history or scenario")
        return self


class StrategySpec(_Model):
    """A strategy by name, ``module:Class`` or file, with its parameters and a label.

    grid: parameter → values to choose from, walk-forward; every combination is a trial.
    """

    use: str
    label: Name
    parameters: dict[str, Any] = Field(default_factory=dict)
    grid: dict[Name, Annotated[tuple[Any, ...], Field(min_length=1)]] | None = None

    def sets(self) -> tuple[tuple[str, dict[str, Any]], ...]:
        """The parameter sets tried, each with a label: the grid's, or its parameters alone."""
        return parameter_sets(self.parameters, self.grid or {})


class LimitSpec(_Model):
    """Limits on the hedges in multiples of capital; None is no limit."""

    position: Positive | None = 3.0
    gross: Positive | None = 4.0
    turnover: Positive | None = None


class StressSpec(_Model):
    """What `backtester stress` runs: named scenarios, and a correlation sweep of one of them.

    points correlations from −1 to 1 on `paths` paths × `bars` bars of scenario `base` each.
    """

    scenario_paths: Annotated[Whole, Field(ge=1, le=1_000_000)] = 256
    scenarios: tuple[str, ...] = (
        "normal",
        "crisis",
        "correlation_breakdown",
        "regime_switching",
        "covid_crash_2020_03",
        "october_10_2025_binance",
        "funding_squeeze",
    )
    base: str = "normal"
    points: Annotated[Whole, Field(ge=3, le=201)] = 21
    paths: Annotated[Whole, Field(ge=2, le=50)] = 50
    bars: Annotated[Whole, Field(ge=30, le=100_000)] = 365


class Study(_Model):
    """Strategies × markets, one exposure and its capital; its digest names its results folder.

    Attributes
    ----------
    risk_aversion: λ, dimensionless; γ = λ / capital.
    horizon: holding horizon in trading days; None calibrates it (see docs/hedging.md).
    rebalance: trading days between decisions.
    execution: ``next_event`` (default) or ``same_close``, which looks ahead and is flagged.
    delay: events from a decision to its fills, 1 by default.
    placebo_paths: paths of the constant-correlation placebo of each market with two regimes.
    labeller: who labels the regimes of a history: ``hedge`` (what happened to the hedge),
        ``detector`` (causal) or ``volatility``; a simulation has its own. See docs/regimes.md.
    walk_forward: how parameters are chosen where a strategy has a grid; scores start after it.
    reference: label of the strategy the others are set against; None sets all pairs.
    trials: parameter sets tried before this study, which count as its own do.
    """

    schema_version: Literal[1] = SCHEMA
    name: Name = "study"
    exposure: ExposureSpec
    capital: Positive
    hedge_with: tuple[Name, ...] = Field(min_length=1)
    markets: tuple[MarketSpec, ...] = Field(min_length=1)
    strategies: tuple[StrategySpec, ...] = Field(min_length=1)
    costs: CostConfig = CostConfig()
    limits: LimitSpec = LimitSpec()
    risk_aversion: Positive = 5.0
    horizon: Positive | None = None
    rebalance: Annotated[Number, Field(ge=0, allow_inf_nan=False)] = 1.0
    execution: Literal["next_event", "same_close"] = "next_event"
    delay: Annotated[Whole, Field(ge=1, le=1000)] = 1
    placebo_paths: Annotated[Whole, Field(ge=0, le=100_000)] = 100
    labeller: Labeller = "hedge"
    walk_forward: WalkForward | None = None
    reference: Name | None = None
    trials: Annotated[Whole, Field(ge=0, le=1_000_000_000)] = 0
    seed: Whole = 0
    stress: StressSpec = StressSpec()

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, data: Any) -> Any:
        if not isinstance(data, dict):
            return data
        data = dict(data)
        if isinstance(data.get("exposure"), str):
            data["exposure"] = {"file": data["exposure"]}
        for key in ("strategies", "markets"):
            if isinstance(data.get(key), (str, dict)):
                data[key] = [data[key]]
        if isinstance(data.get("strategies"), (list, tuple)):
            data["strategies"] = [_strategy(s) for s in data["strategies"]]
        if isinstance(data.get("markets"), (list, tuple)):
            data["markets"] = [
                {"scenario": m} if isinstance(m, str) else m for m in data["markets"]
            ]
        return data

    @model_validator(mode="after")
    def _unique(self) -> Study:
        labels = [s.label for s in self.strategies]
        for label in labels:
            if labels.count(label) > 1:
                raise ValueError(f"two strategies are labelled {label!r}; give each a label")
        gridded = [s.label for s in self.strategies if s.grid is not None]
        if gridded and self.walk_forward is None:
            raise ValueError(f"strategy {gridded[0]!r} has a grid; say walk_forward how to choose")
        if self.walk_forward is not None and not gridded:
            raise ValueError("walk_forward has no strategy with a grid to choose from")
        if self.reference is not None and self.reference not in labels:
            raise ValueError(f"reference {self.reference!r} is not one of {labels}")
        names = [m.name or m.scenario or str(m.history) for m in self.markets]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two markets are called {name!r}; give each a name")
        return self

    @classmethod
    def of(cls, data: Any, *, source: str = "study", file: Path | None = None) -> Study:
        """A study from plain data; ConfigError names the key, its line in `file`, and the cure."""
        if isinstance(data, cls):
            return data
        try:
            return cls.model_validate(data)
        except ValidationError as error:
            raise explained(error, source, cls, _MODELS, file) from error

    @classmethod
    def read(cls, path: str | Path) -> Study:
        """A study from a YAML file; relative paths in it are relative to the file."""
        file = Path(path)
        data = read_mapping(file, "study")
        return cls.of(data, source=file.name, file=file).resolved(file.parent)

    def resolved(self, folder: Path) -> Study:
        """The study with the files it names as absolute paths."""

        def absolute(value: Any) -> Any:
            return str((folder / value).resolve()) if isinstance(value, str) else value

        def placed(reference: str | None) -> Any:
            file, rest = split_file(reference or "")
            return absolute(file) + rest if file else reference

        data = self.model_dump(mode="json")
        for spec in [data, *data["markets"]]:
            exposure = spec.get("exposure")
            if exposure and exposure["file"]:
                exposure["file"] = absolute(exposure["file"])
        for market in data["markets"]:
            if isinstance(market["history"], dict):
                for key in ("prices", "funding", "half_spread", "depth", "tradable"):
                    market["history"][key] = absolute(market["history"][key])
            market["scenario"] = placed(market["scenario"])
        stress = data["stress"]
        stress["base"] = placed(stress["base"])
        stress["scenarios"] = [placed(scenario) for scenario in stress["scenarios"]]
        for strategy in data["strategies"]:
            strategy["use"] = placed(strategy["use"])
        return Study.of(data)

    @property
    def tried(self) -> int:
        """Parameter sets behind the results on one market: this study's and those before it."""
        return sum(len(s.sets()) for s in self.strategies) + self.trials

    def fixed(self) -> Study:
        """The study without a choice of parameters: each strategy with those it names."""
        plain = tuple(s.model_copy(update={"grid": None}) for s in self.strategies)
        return self.model_copy(update={"strategies": plain, "walk_forward": None})

    def files(self) -> tuple[Path, ...]:
        """Every file the study reads: their contents are part of its digest."""
        found: list[str] = []
        for exposure in (self.exposure, *(m.exposure for m in self.markets)):
            if exposure is not None and exposure.file:
                found.append(exposure.file)
        for market in self.markets:
            if isinstance(market.history, HistorySpec):
                h = market.history
                given = (h.prices, h.funding, h.half_spread, h.depth, h.tradable)
                found += [x for x in given if isinstance(x, str)]
        for scenario in (
            *(m.scenario for m in self.markets if m.scenario),
            *self.stress.scenarios,
            self.stress.base,
        ):
            file, _ = split_file(scenario)
            found += [file] if file else []
            if file and not file.endswith(".py"):
                found += [str(f) for f in data_files(Path(file))]
        for strategy in self.strategies:
            file, _ = split_file(strategy.use)
            found += [file] if file else []
        return tuple(Path(f) for f in dict.fromkeys(found))

    def file_hashes(self) -> dict[str, str]:
        """sha256 of every file the study reads, by file name; a missing one is a ConfigError."""
        hashes = {}
        for file in self.files():
            try:
                hashes[str(file)] = hashlib.sha256(file.read_bytes()).hexdigest()
            except OSError as error:
                raise ConfigError(
                    f"study {self.name!r} names file {file.name!r}, which cannot be read "
                    f"({error.strerror})",
                    cure="Check the path; it is relative to the study file.",
                ) from error
        return hashes

    def digest(self, kind: str = "compare") -> str:
        """16 hex digits of all that decides the numbers: settings, file contents, this version."""
        from importlib.metadata import version

        settings = json.dumps(self.model_dump(mode="json"), sort_keys=True)
        text = f"{version('hedge-backtester')}\n{settings}"
        hashes = self.file_hashes()
        for path, content in hashes.items():  # the place of a file does not matter, its bytes do
            named = json.dumps(path)[1:-1]
            # data that only a scenario file names does not stand in the settings
            text = text.replace(named, content) if named in text else f"{text}\n{content}"
        return hashlib.sha256(f"{kind}\n{text}".encode()).hexdigest()[:16]

    def to_yaml(self) -> str:
        """The study as YAML that reads back as the same study."""
        import yaml

        from backtester.yaml_core import Dumper

        text: str = yaml.dump(self.model_dump(mode="json"), Dumper=Dumper, sort_keys=False)
        return text


def split_file(reference: str) -> tuple[str, str]:
    """(file, what follows) of ``X.yaml``, ``X.py`` or ``X.py:Class``; ("", "") of a name."""
    if reference.endswith((".yaml", ".yml")):
        return reference, ""
    file, dot, rest = reference.partition(".py")
    return (f"{file}.py", rest) if dot and (not rest or rest.startswith(":")) else ("", "")


def _strategy(spec: Any) -> Any:
    """Short forms of a strategy: a name, or one name with its parameters."""
    if isinstance(spec, str):
        return {"use": spec, "label": _label(spec)}
    if isinstance(spec, dict) and "use" in spec:
        return {"label": _label(str(spec["use"])), **spec}
    if isinstance(spec, dict) and len(spec) == 1:
        use, parameters = next(iter(spec.items()))
        return {"use": use, "label": _label(str(use)), "parameters": parameters or {}}
    return spec


def _label(use: str) -> str:
    tail = use.rpartition(":")[2] if ":" in use else use
    return Path(tail).stem if tail.endswith(".py") else tail


_MODELS: dict[str, type[BaseModel]] = {
    "exposure": ExposureSpec,
    "history": HistorySpec,
    "markets": MarketSpec,
    "strategies": StrategySpec,
    "costs": CostConfig,
    "limits": LimitSpec,
    "stress": StressSpec,
    "walk_forward": WalkForward,
}
