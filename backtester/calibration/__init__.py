"""From a history of prices to the parameters of a scenario, each figure with its source."""

from backtester.calibration.calibrate import Calibration, calibrate

__all__ = ["Calibration", "calibrate"]
