"""Measured bounds of the monitors: (observations between false alarms on one pair, bound).

Normal returns, daily events, default windows; the mean rate over correlations of .3, .6, .8 and
.95 (and 0 but for the surprise, which has nothing to compare there and alarms more rarely). Written
by ``python -m tests.published.monitor_study``; what other worlds do to the rate stands in
docs/monitors.md. A monitor with other windows than its default keeps these bounds: its rate then
scales roughly with the length of the recent part.
"""

FISHER = (
    (118.0, 1.8), (172.0, 2.0), (262.0, 2.2), (404.0, 2.4), (649.0, 2.6), (1093.0, 2.8),
    (1922.0, 3.0), (3643.0, 3.2), (6526.0, 3.4),
)  # fmt: skip
CUSUM = (
    (120.0, 2.0), (181.0, 2.2), (277.0, 2.4), (445.0, 2.6), (759.0, 2.8), (1324.0, 3.0),
    (2306.0, 3.2), (4289.0, 3.4), (8287.0, 3.6),
)  # fmt: skip
SURPRISE = (
    (71.0, 5.0), (130.0, 6.0), (232.0, 7.0), (419.0, 8.0), (770.0, 9.0), (1404.0, 10.0),
    (2477.0, 11.0), (4465.0, 12.0), (8797.0, 13.0),
)  # fmt: skip
