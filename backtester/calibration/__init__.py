"""From a history of prices to the parameters of a scenario, each figure with its source."""

from backtester.calibration.calibrate import Calibration, calibrate
from backtester.calibration.copula_garch import CopulaCalibration, calibrate_copula

__all__ = ["Calibration", "CopulaCalibration", "calibrate", "calibrate_copula"]
