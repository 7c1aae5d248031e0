"""Monitors watch the market for a strategy and say when something has changed."""

from backtester.monitors.monitor import Monitor

__all__ = ["Monitor"]
