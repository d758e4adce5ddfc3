"""Charts as matplotlib draws them: many kinds, styles, sizes of type, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.style
import numpy as np
from cycler import cycler
from drawn_basics import colours, css, mix, paper_and_ink, phrase, pick, picture_size
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

MAPS = ("viridis", "magma", "plasma", "cividis", "coolwarm", "Blues", "YlGnBu", "Spectral", "turbo")
STYLES = (
    "default",
    "ggplot",
    "bmh",
    "fivethirtyeight",
    "dark_background",
    "classic",
    "grayscale",
    "seaborn-v0_8-whitegrid",
    "seaborn-v0_8-darkgrid",
    "seaborn-v0_8-ticks",
    "Solarize_Light2",
    "tableau-colorblind10",
)


def chart(rng: np.random.Generator) -> NDArray[np.uint8]:
    """A figure of one to four charts."""
    width, height = picture_size(rng, upright=0.15)
    dpi = int(pick(rng, (72, 80, 100, 110, 130)))
    with matplotlib.style.context([pick(rng, STYLES), _settings(rng, width / dpi)]):
        figure = Figure(figsize=(width / dpi, height / dpi), dpi=dpi, layout="constrained")
        canvas: Any = FigureCanvasAgg(figure)
        rows, columns = pick(rng, ((1, 1),) * 5 + ((1, 2), (2, 1), (2, 2)))
        if rows * columns == 1 and rng.random() < 0.15:
            _surface(rng, figure.add_subplot(projection="3d"))
        elif rows * columns == 1 and rng.random() < 0.08:
            _rose(rng, figure.add_subplot(projection="polar"))
        else:
            for k in range(rows * columns):
                axes = figure.add_subplot(rows, columns, k + 1)
                pick(rng, PLOTS)(rng, axes)
                _words(rng, axes, 4 // columns)
        canvas.draw()
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()


def _settings(rng: np.random.Generator, inches: float) -> dict[str, Any]:
    """Type, and in half of the charts colours of their own over those of the style."""
    made: dict[str, Any] = {
        "font.family": pick(rng, ("sans-serif", "serif", "monospace")),
        "font.size": float(rng.uniform(7, 13)) * min(1, inches / 5),
        "axes.grid": bool(rng.random() < 0.5),
        "lines.linewidth": float(rng.uniform(0.8, 3)),
    }
    if rng.random() < 0.5:
        paper, ink = paper_and_ink(rng)
        cycle = cycler(color=[css(c) for c in colours(rng, 7)])
        made |= {"figure.facecolor": css(paper), "axes.facecolor": css(paper)}
        made |= {"savefig.facecolor": css(paper), "axes.prop_cycle": cycle}
        for key in ("text.color", "axes.labelcolor", "xtick.color", "ytick.color"):
            made[key] = css(ink)
        made |= {"axes.edgecolor": css(ink), "grid.color": css(mix(paper, ink, 0.2))}
    return made


def _words(rng: np.random.Generator, axes: Any, most: int) -> None:
    """A title of at most so many words, names of the axes and a legend, where chance has it."""
    if rng.random() < 0.7:
        axes.set_title(phrase(rng, 1, most))
    if rng.random() < 0.5:
        axes.set_xlabel(phrase(rng, 1, 2))
        axes.set_ylabel(phrase(rng, 1, 2))
    if axes.get_legend_handles_labels()[0] and rng.random() < 0.7:
        axes.legend()
    if rng.random() < 0.2:
        axes.spines[["top", "right"]].set_visible(False)


def _walks(rng: np.random.Generator, count: int) -> list[NDArray[np.float64]]:
    """Curves as data have them: random walks, waves and growth, some jagged and some smooth."""
    length = int(rng.integers(12, 200))
    x = np.linspace(0, 1, length)
    makers: tuple[Callable[[], NDArray[np.float64]], ...] = (
        lambda: np.cumsum(rng.normal(0, 1, length)),
        lambda: np.sin(x * rng.uniform(4, 25) + rng.uniform(0, 6)) * rng.uniform(1, 4),
        lambda: np.exp(x * rng.uniform(0.5, 3)) + rng.normal(0, 0.1, length),
        lambda: 3 * x ** rng.uniform(0.3, 3),
    )
    return [pick(rng, makers)() for _ in range(count)]


def _lines(rng: np.random.Generator, axes: Any) -> None:
    marker, dash = pick(rng, (None, None, "o", "s", "^")), pick(rng, ("-", "-", "--", "-."))
    for y in _walks(rng, int(rng.integers(1, 7))):
        every = max(1, len(y) // 12)
        axes.plot(y, dash, marker=marker, markevery=every, label=phrase(rng, 1, 1))
        if rng.random() < 0.2:
            axes.fill_between(range(len(y)), y - 0.5, y + 0.5, alpha=0.3)


def _areas(rng: np.random.Generator, axes: Any) -> None:
    walks = [np.abs(y) + 0.5 for y in _walks(rng, int(rng.integers(2, 6)))]
    axes.stackplot(range(len(walks[0])), walks, labels=[phrase(rng, 1, 1) for _ in walks])


def _bars(rng: np.random.Generator, axes: Any) -> None:
    groups, series = int(rng.integers(3, 9)), int(rng.integers(1, 4))
    names = [phrase(rng, 1, 1) for _ in range(groups)]
    flat = rng.random() < 0.35
    for k in range(series):
        values, places = rng.uniform(1, 9, groups), np.arange(groups) + k * 0.8 / series
        options = {"label": phrase(rng, 1, 1), "edgecolor": pick(rng, ("none", "black"))}
        if flat:
            drawn = axes.barh(places, values, 0.8 / series, **options)
        else:
            drawn = axes.bar(places, values, 0.8 / series, **options)
        if rng.random() < 0.3:
            axes.bar_label(drawn, fmt="%.1f", fontsize=7)
    if flat:
        axes.set_yticks(range(groups), names)
    else:
        axes.set_xticks(range(groups), names, rotation=float(pick(rng, (0, 30, 60))))


def _scatter(rng: np.random.Generator, axes: Any) -> None:
    for _ in range(int(rng.integers(1, 5))):
        count = int(rng.integers(15, 250))
        x = rng.normal(rng.uniform(-3, 3), rng.uniform(0.3, 1.5), count)
        y = rng.normal(rng.uniform(-3, 3), rng.uniform(0.3, 1.5), count) + x * rng.uniform(-1, 1)
        sizes = rng.uniform(5, 120, count) if rng.random() < 0.4 else rng.uniform(8, 40)
        axes.scatter(x, y, sizes, alpha=float(rng.uniform(0.5, 1)), label=phrase(rng, 1, 1))


def _heat(rng: np.random.Generator, axes: Any) -> None:
    rows, columns = int(rng.integers(3, 11)), int(rng.integers(3, 11))
    values = rng.random((rows, columns))
    drawn = axes.imshow(values, cmap=pick(rng, MAPS), aspect="auto")
    axes.grid(False)
    if rng.random() < 0.6:
        axes.figure.colorbar(drawn, ax=axes)
    if rows * columns < 50:
        for (i, j), value in np.ndenumerate(values):
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", color="w", fontsize=7)


def _contours(rng: np.random.Generator, axes: Any) -> None:
    x, y, z = _hills(rng, 80)
    if rng.random() < 0.6:
        axes.contourf(x, y, z, int(rng.integers(5, 18)), cmap=pick(rng, MAPS))
    else:
        axes.clabel(axes.contour(x, y, z, int(rng.integers(5, 14)), cmap=pick(rng, MAPS)))


def _pie(rng: np.random.Generator, axes: Any) -> None:
    count = int(rng.integers(3, 8))
    ring = {"width": 0.4} if rng.random() < 0.4 else {}
    axes.pie(
        rng.uniform(1, 5, count),
        labels=[phrase(rng, 1, 1) for _ in range(count)],
        colors=[css(c) for c in colours(rng, count)],
        autopct=pick(rng, (None, "%1.0f%%")),
        wedgeprops={"edgecolor": pick(rng, ("white", "none", "black")), **ring},
        startangle=float(rng.uniform(0, 360)),
    )
    for wedge in axes.patches:
        wedge.set_label("")  # its name stands beside it; a legend would repeat it


def _histogram(rng: np.random.Generator, axes: Any) -> None:
    for _ in range(int(rng.integers(1, 4))):
        values = rng.normal(rng.uniform(-2, 2), rng.uniform(0.5, 2), 400)
        axes.hist(values, int(rng.integers(8, 40)), alpha=0.7, label=phrase(rng, 1, 1))


def _boxes(rng: np.random.Generator, axes: Any) -> None:
    groups = [rng.normal(rng.uniform(0, 4), rng.uniform(0.4, 1.5), 60) for _ in range(5)]
    if rng.random() < 0.5:
        axes.boxplot(groups, patch_artist=bool(rng.random() < 0.7))
    else:
        axes.violinplot(groups, showmedians=True)


def _steps(rng: np.random.Generator, axes: Any) -> None:
    for y in _walks(rng, int(rng.integers(1, 3))):
        axes.errorbar(
            np.arange(len(y))[:: max(1, len(y) // 15)],
            y[:: max(1, len(y) // 15)],
            yerr=rng.uniform(0.2, 1),
            fmt=pick(rng, ("o", "s-", "^--")),
            capsize=3,
            label=phrase(rng, 1, 1),
        )


def _hills(rng: np.random.Generator, count: int) -> tuple[NDArray[np.float64], ...]:
    x, y = np.meshgrid(np.linspace(-3, 3, count), np.linspace(-3, 3, count))
    z = np.zeros_like(x)
    for _ in range(int(rng.integers(2, 6))):
        a, b = rng.uniform(-2.5, 2.5, 2)
        z += rng.uniform(-1, 1.5) * np.exp(-((x - a) ** 2 + (y - b) ** 2) / rng.uniform(0.4, 3))
    return x, y, z + 0.1 * np.sin(x * rng.uniform(1, 4))


def _surface(rng: np.random.Generator, axes: Any) -> None:
    x, y, z = _hills(rng, int(rng.integers(20, 50)))
    if rng.random() < 0.75:
        axes.plot_surface(x, y, z, cmap=pick(rng, MAPS), rstride=1, cstride=1, antialiased=True)
    else:
        axes.plot_wireframe(x, y, z, rstride=2, cstride=2, linewidth=0.7)
    axes.view_init(float(rng.uniform(20, 55)), float(rng.uniform(0, 360)))
    axes.set_title(phrase(rng, 1, 4))


def _rose(rng: np.random.Generator, axes: Any) -> None:
    count = int(rng.integers(6, 20))
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False)
    shades = [css(c) for c in colours(rng, count)]
    axes.bar(angles, rng.uniform(1, 6, count), 6 / count, color=shades, alpha=0.85)
    axes.set_title(phrase(rng, 1, 4))


PLOTS: tuple[Callable[[np.random.Generator, Any], None], ...] = (
    *(_lines, _lines, _areas, _bars, _bars, _scatter, _heat, _contours, _pie, _histogram),
    *(_boxes, _steps),
)
