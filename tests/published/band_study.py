"""The no-trade band against its optimum: the numbers and the plot of docs/no_trade_band.md.

`band_pages` writes both. A target diffuses with variance rate s²;
being x away from it costs ½A x² a unit of time, trading z costs c|z| and a fixed K; what is
minimised is the average cost a unit of time (methods A4).

- *Optimum*: dynamic programming (relative value iteration) on a lattice of step dx, on which the
  gap moves by ±dx with probability ¼ each in dt = dx²/2s².
- *Policy*: the package's horizon, hedge solver and gate, asked at every point of the lattice; its
  average cost is that of the stationary distribution of the same chain, without noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from backtester.arrays import Float
from backtester.hedging.batch import HedgeBatch
from backtester.hedging.gate import gated
from backtester.hedging.horizon import TargetDiffusion, horizon, start_diffusion, step_diffusion
from backtester.hedging.solver import solve

COST, GAS, DIFFUSION, CURVATURE = 1e-3, 1e-4, 0.04, 2.0  # the worked example of A4


def fee_band(cost: float, diffusion: float = DIFFUSION, curvature: float = CURVATURE) -> float:
    """(3 c s² / 2A)^⅓."""
    return float((1.5 * cost * diffusion / curvature) ** (1.0 / 3.0))


def gas_band(gas: float, diffusion: float = DIFFUSION, curvature: float = CURVATURE) -> float:
    """(12 K s² / A)^¼."""
    return float((12.0 * gas * diffusion / curvature) ** 0.25)


# The policy


def days(cost: float, gas: float) -> float:
    """The package's H where s² is known: A = γσ² with σ² = 1."""
    state = TargetDiffusion(np.ones((1, 1)), np.array([DIFFUSION]), 0.0)
    unit = np.ones((1, 1))
    return float(horizon(state, CURVATURE, unit, cost * unit, np.array([gas]))[0])


def decide(
    gap: Float, cost: float, gas: float, H: Float, curvature: float = CURVATURE
) -> tuple[Float, HedgeBatch]:
    """Gap (P,) after the package's decision at `gap` (P,) with horizons `H` (P,)."""
    paths = len(gap)
    column, one = np.ones((paths, 1)), np.ones(paths)
    inf = np.inf * column
    batch = HedgeBatch(
        F=column[:, :, None], f=0.0 * column, risk_weight=curvature * H, reward=0.0 * column,
        h0=np.array(gap)[:, None], linear=cost * column, impact=0.0 * column, lower=-inf,
        upper=inf, gross=np.inf * one, turnover=np.inf * one, A=np.zeros((paths, 0, 1)),
        b=np.zeros((paths, 0)), band=np.zeros((paths, 0)), scale=one,
    )  # fmt: skip
    answer = solve(batch)
    if gas > 0.0:
        answer = gated(batch, answer, np.array([gas]))
    return answer.h[:, 0], batch


def policy_band(cost: float, gas: float) -> tuple[float, float]:
    """Where the package's policy lands, and from where on it trades (by bisection)."""
    H = np.full(1, days(cost, gas))
    lands = float(decide(np.full(1, 100.0), cost, gas, H)[0][0])
    inside, outside = 0.0, 100.0
    while outside - inside > 1e-10 * outside:
        middle = 0.5 * (inside + outside)
        moved = decide(np.full(1, middle), cost, gas, H)[0][0] != middle
        inside, outside = (inside, middle) if moved else (middle, outside)
    return abs(lands), outside


# The optimum, and the cost of a policy, on one lattice


@dataclass(frozen=True)
class Lattice:
    """Gaps −n·dx … n·dx."""

    dx: float
    n: int

    @property
    def gaps(self) -> Float:
        """(2n + 1,)."""
        return np.asarray(np.arange(-self.n, self.n + 1) * self.dx, dtype=np.float64)

    @property
    def dt(self) -> float:
        """Time of one step."""
        return self.dx**2 / (2.0 * DIFFUSION)

    def optimum(self, cost: float, gas: float) -> tuple[float, float, float]:
        """Least average cost, and the half-widths it lands on and trades from.

        Half a step is added to the lattice's own widths: a walk turned back at m·dx behaves like a
        diffusion reflected at (m + ½)·dx.
        """
        rate, target = _value_iteration(self.n, self.dx, self.dt, cost, gas, CURVATURE)
        first = self.n + int(np.argmax(target[self.n :] != np.arange(self.n, 2 * self.n + 1)))
        lands = int(target[first]) - self.n
        half = 0.5 if gas == 0.0 else 0.0
        return rate, (lands + half) * self.dx, (first - self.n - 0.5) * self.dx

    def average(self, after: Float, cost: float, gas: float) -> float:
        """Average cost of the policy that moves each gap to `after` (2n + 1,), on the lattice."""
        size, gaps = 2 * self.n + 1, self.gaps
        spot = np.rint(after / self.dx).astype(int) + self.n
        matrix = np.zeros((size, size))
        rows = np.arange(size)
        for shift, share in ((-1, 0.25), (0, 0.5), (1, 0.25)):
            np.add.at(matrix, (rows, np.clip(spot + shift, 0, size - 1)), share)
        system = np.vstack([matrix.T - np.eye(size), np.ones(size)])
        weights = np.linalg.lstsq(system, np.append(np.zeros(size), 1.0), rcond=None)[0]
        landed = gaps[spot]
        moved = np.abs(gaps - landed)
        stage = cost * moved + gas * (moved > 0) + 0.5 * CURVATURE * landed**2 * self.dt
        return float(weights @ stage / self.dt)


@numba.njit(cache=True)
def _value_iteration(n, dx, dt, cost, gas, curvature):  # type: ignore[no-untyped-def]
    size = 2 * n + 1
    value, wait = np.zeros(size), np.zeros(size)
    best, source = np.zeros(size), np.zeros(size, dtype=np.int64)
    target = np.zeros(size, dtype=np.int64)
    while True:
        for i in range(size):
            low, high = max(i - 1, 0), min(i + 1, size - 1)
            move = 0.25 * value[low] + 0.5 * value[i] + 0.25 * value[high]
            wait[i] = move + 0.5 * curvature * ((i - n) * dx) ** 2 * dt
            best[i], source[i] = wait[i], i
        for i in range(1, size):  # least cost of moving anywhere: two sweeps
            if best[i - 1] + cost * dx < best[i]:
                best[i], source[i] = best[i - 1] + cost * dx, source[i - 1]
        for i in range(size - 2, -1, -1):
            if best[i + 1] + cost * dx < best[i]:
                best[i], source[i] = best[i + 1] + cost * dx, source[i + 1]
        least, most = np.inf, -np.inf
        for i in range(size):
            target[i] = i
            new = wait[i]
            if best[i] + gas < new:
                new, target[i] = best[i] + gas, source[i]
            least, most = min(least, new - value[i]), max(most, new - value[i])
            best[i] = new
        value[:] = best - best[n]
        if most - least <= 1e-6 * most:
            return 0.5 * (most + least) / dt, target


def compared(lattice: Lattice, cost: float, gas: float) -> tuple[float, float, float, float, float]:
    """Average cost of policy and optimum, policy's trigger, optimum's landing and trigger."""
    H = np.full(2 * lattice.n + 1, days(cost, gas))
    after, _ = decide(lattice.gaps, cost, gas, H)
    least, lands, trigger = lattice.optimum(cost, gas)
    return lattice.average(after, cost, gas), least, policy_band(cost, gas)[1], lands, trigger


def fee_rows(steps: tuple[int, ...] = (15, 24, 38, 60, 95)) -> Float:
    """Rows of (c, policy's cost, optimum, policy's band, optimum's band), on one lattice.

    The costs are those whose band is a whole number of lattice steps.
    """
    dx = fee_band(COST) / 38.0
    rows = []
    for m in steps:
        cost = 2.0 * CURVATURE * (m * dx) ** 3 / (3.0 * DIFFUSION)
        ours, least, band, _, trigger = compared(Lattice(dx, 2 * m), cost, 0.0)
        rows.append((cost, ours, least, band, trigger))
    return np.array(rows)


def gas_rows(steps: tuple[int, ...] = (15, 24, 38, 60, 95)) -> Float:
    """The same over the fixed cost K, without a proportional one."""
    dx = gas_band(GAS) / 38.5
    rows = []
    for m in steps:
        gas = CURVATURE * ((m + 0.5) * dx) ** 4 / (12.0 * DIFFUSION)
        ours, least, band, _, trigger = compared(Lattice(dx, 2 * m), 0.0, gas)
        rows.append((gas, ours, least, band, trigger))
    return np.array(rows)


def mixed_rows(amounts: tuple[float, ...] = (1e-7, 1e-6, 1e-5, 1e-4, 1e-3)) -> Float:
    """Rows of (K, policy's cost, optimum, landing and trigger of both) with c of the example."""
    rows = []
    for gas in amounts:
        lands, trigger = policy_band(COST, gas)
        dx = lands / max(2.0, np.rint(40.0 * lands / trigger))
        lattice = Lattice(dx, int(2.0 * trigger / dx))
        ours, least, _, best, best_trigger = compared(lattice, COST, gas)
        rows.append((gas, ours, least, lands, trigger, best, best_trigger))
    return np.array(rows)


def pair_cost(lands: float, trigger: float, cost: float, gas: float) -> float:
    """Average cost of the diffusion that trades from ±trigger to ±lands (renewal, exact).

    A cycle takes (B² − a²)/s² and costs K + c(B − a) and A(B⁴ − a⁴)/(12 s²) of risk.
    """
    a, B = lands, trigger
    trading = (gas + cost * (B - a)) * DIFFUSION / (B * B - a * a)
    return trading + CURVATURE * (a * a + B * B) / 12.0


def single_horizon_cost(H: float, cost: float, gas: float) -> float:
    """`pair_cost` of a policy of one horizon: to c/(AH), from c/(AH) + √(2K/(AH))."""
    lands = cost / (CURVATURE * H)
    return pair_cost(lands, lands + float(np.sqrt(2.0 * gas / (CURVATURE * H))), cost, gas)


def slope(x: Float, y: Float) -> float:
    """Log-log slope."""
    return float(np.polyfit(np.log(x), np.log(y), 1)[0])


# For contrast: a certainty-equivalent programme of many periods


def deterministic_bands(costs: Float, span: float = 0.02, periods: int = 10) -> Float:
    """Half-widths of a multi-period programme that takes its forecast for certain.

    minimise Σₜ ½A dt hₜ² + c|hₜ − hₜ₋₁| over `periods` steps of `span` in all: the first trade goes
    to the edge of its band.
    """
    import cvxpy as cp

    path, trades = cp.Variable(periods), cp.Variable(periods)
    start, cost = cp.Parameter(), cp.Parameter(nonneg=True)
    moves = [trades[0] == path[0] - start, trades[1:] == cp.diff(path)]
    risk = 0.5 * CURVATURE * span / periods * cp.sum_squares(path)
    problem = cp.Problem(cp.Minimize(1e3 * (risk + cost * cp.norm1(trades))), moves)
    start.value = 10.0
    found = []
    for c in costs:
        cost.value = float(c)
        problem.solve(solver="CLARABEL")
        found.append(float(path.value[0]))
    return np.array(found)


# Bars: the same process seen daily and hourly, s² measured

DAY = {"cost": 1e-3, "gas": 2.5e-5, "diffusion": 4e-4, "curvature": 6e-4}  # bands of .1 and .119


def bars(per_day: int, *, gas: bool, paths: int = 100, span: int = 240) -> tuple[float, ...]:
    """Median band, trades and cost a day and path, and what the fixed band b* costs on those bars.

    One market for every bar size: the same hourly increments. The last half of the `span` days is
    counted. Horizon, solver and gate are the package's, and s² is what it measures.
    """
    cost, fixed = (0.0, DAY["gas"]) if gas else (DAY["cost"], 0.0)
    s2, A = DAY["diffusion"], DAY["curvature"]
    rng = np.random.default_rng(12)
    walk = np.cumsum(np.sqrt(s2 / 24) * rng.standard_normal((24 * span, paths)), axis=0)
    walk = 1.0 + walk[24 // per_day - 1 :: 24 // per_day]
    exact = gas_band(fixed, s2, A) if gas else fee_band(cost, s2, A)
    unit, state = np.ones((paths, 1)), start_diffusion(paths, 1)
    hedge, rival = walk[0].copy(), walk[0].copy()
    bands, paid, least, trades = [], 0.0, 0.0, 0
    for t, target in enumerate(walk):
        state = step_diffusion(state, target[:, None], 1e-4 * unit, t / per_day)
        H = horizon(state, A * 1e4, 1e-4 * unit, cost * unit, np.array([fixed]))
        gap = hedge - target
        after, _ = decide(gap, cost, fixed, H, A)
        other = rival - target
        edge = np.zeros(paths) if gas else np.sign(other) * exact
        turned = np.where(np.abs(other) > exact, edge, other)
        if 2 * t >= len(walk):
            bands.append(np.sqrt(2 * fixed / (A * H)) if gas else cost / (A * H))
            for old, new, mine in ((gap, after, True), (other, turned, False)):
                money = cost * np.abs(new - old) + fixed * (new != old)
                money = money + 0.5 * A * new**2 / per_day
                paid, least = paid + money.sum() * mine, least + money.sum() * (not mine)
            trades += int((after != gap).sum())
        hedge, rival = target + after, target + turned
    share = 1.0 / (paths * span / 2)
    return float(np.median(bands)), trades * share, paid * share, least * share
