"""Measured bounds of the monitors: (observations between false alarms on one pair, bound).

Normal returns, daily events, default windows; the mean rate over correlations of .3, .6, .8 and
.95, and 0 but for the surprise, which has nothing to compare there and alarms more rarely. Printed
by ``python -m tests.published.monitor_study --calibrate``; what other worlds do to the rate stands
in docs/monitors.md.
"""

FISHER = (
    (56.0, 1.4), (81.0, 1.6), (122.0, 1.8), (191.0, 2.0), (313.0, 2.2), (537.0, 2.4), (982.0, 2.6),
    (1869.0, 2.8), (3649.0, 3.0), (7940.0, 3.2),
)  # fmt: skip
CUSUM = (
    (60.0, 1.6), (84.0, 1.8), (120.0, 2.0), (183.0, 2.2), (281.0, 2.4), (452.0, 2.6), (769.0, 2.8),
    (1338.0, 3.0), (2342.0, 3.2), (4388.0, 3.4), (8595.0, 3.6),
)  # fmt: skip
SURPRISE = (
    (38.0, 4.0), (71.0, 5.0), (130.0, 6.0), (232.0, 7.0), (419.0, 8.0), (770.0, 9.0),
    (1394.0, 10.0), (2472.0, 11.0), (4469.0, 12.0), (8754.0, 13.0),
)  # fmt: skip
