"""Pages of small pairs, for the tests of the report."""

from __future__ import annotations

import io

from PIL import Image
from report_samples import pair, with_evidence

from distortion_graph.graph import Relation
from distortion_graph.pictures.images import load_picture
from distortion_graph.report.html.embedding import embed
from distortion_graph.report.html.page import ReportPicture, report_page

NOTHING = ReportPicture(None, None)


def png(rgb):
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


def shown(rgb):
    """A picture as the report of a PNG file shows it."""
    data = png(rgb)
    return ReportPicture(embed(load_picture(data), data))


def page(sample, graph=None, truth=None):
    """The report of a synthetic pair, or of another graph on its pictures."""
    pictures = shown(sample.anchor.image), shown(sample.target.image)
    return report_page(sample.graph if graph is None else graph, pictures, truth)


def named(graph, *names):
    """The graph with other names for its first regions."""
    regions = list(graph.regions)
    for k, name in enumerate(names):
        regions[k] = regions[k].model_copy(update={"name": name})
    return graph.model_copy(update={"regions": tuple(regions)})


def rich_sample(rows=3, cols=4):
    """A pair with evidence, names and relations."""
    sample = pair(rows, cols, 96, 128)
    graph = named(with_evidence(sample.graph), "sky", "person", "racket")
    ids = [region.id for region in graph.regions]
    relations = (
        Relation(subject=ids[1], predicate="holding", object=ids[2], image="both"),
        Relation(subject=ids[1], predicate="below", object=ids[0], image="anchor"),
    )
    return sample, graph.model_copy(update={"relations": relations})


def without_masks(graph):
    """The graph with boxes for some regions and no place for the others."""
    regions = []
    for k, region in enumerate(graph.regions):
        box = None if k % 2 else region.anchor.bbox_xywh_px
        anchor = region.anchor.model_copy(update={"mask": None, "bbox_xywh_px": box})
        target = region.target.model_copy(update={"mask": None, "bbox_xywh_px": None})
        regions.append(region.model_copy(update={"anchor": anchor, "target": target}))
    return graph.model_copy(update={"regions": tuple(regions)})
