"""Monitors watch the market for a strategy and say when something has changed."""

from backtester.monitors.cusum import CusumMonitor
from backtester.monitors.fisher import FisherMonitor
from backtester.monitors.monitor import Monitor
from backtester.monitors.regime_change import RegimeMonitor
from backtester.monitors.surprise import SurpriseMonitor

__all__ = ["CusumMonitor", "FisherMonitor", "Monitor", "RegimeMonitor", "SurpriseMonitor"]
