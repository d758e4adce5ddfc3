"""Sets of people's opinions as their owners distribute them, made tiny: what each layout reads."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from distortion_graph.base.errors import DatasetError
from distortion_graph.bench.human.layouts.live import KINDS as LIVE_KINDS
from distortion_graph.bench.human.opinions import LAYOUT_NAMES, OpinionPair, read_opinions
from distortion_graph.cli.human_options import Layout


def put(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.zeros((8, 8, 3), np.uint8)).save(path, path.suffix[1:].upper())


def tid2013(folder: Path) -> None:
    # As in the archive: some names in capitals, the last reference in small letters.
    for name in ("I01.BMP", "i25.bmp"):
        put(folder / "reference_images" / name)
    lines = []
    for name, listed, score in (
        ("i01_01_1.bmp", "I01_01_1.bmp", "5.51429"),
        ("I01_24_5.BMP", "i01_24_5.bmp", "0.9"),
        ("i25_10_3.bmp", "i25_10_3.bmp", "4.5"),
    ):
        put(folder / "distorted_images" / name)
        lines.append(f"{score} {listed}")
    (folder / "mos_with_names.txt").write_text("\r\n".join(lines) + "\r\n")


def kadid10k(folder: Path) -> None:
    rows = ["dist_img,ref_img,dmos,var"]
    for name, score in (("I01_01_01.png", "5"), ("I01_25_05.png", "1.8"), ("I02_10_03.png", "1")):
        put(folder / "images" / name)
        put(folder / "images" / f"{name[:3]}.png")
        rows.append(f"{name},{name[:3]}.png,{score},0.5")
    (folder / "dmos.csv").write_text("\n".join(rows) + "\n")


def csiq(folder: Path) -> None:
    # As a spreadsheet writes the sheet: empty lines and a column before the table.
    rows = [",,,,,,", ",,,,,,", ",image,dst_idx,dst_type,dst_lev,dmos_std,dmos"]
    for place, name, kind, dmos in (
        ("awgn", "1600.AWGN.1.png", "noise", "0.062"),
        ("jpeg2000", "1600.jpeg2000.5.png", "jpeg 2000", "0.9"),
        ("blur", "woman.BLUR.3.png", "blur", "0"),
    ):
        put(folder / "dst_imgs" / place / name)
        image, _, level, _ = name.split(".")
        put(folder / "src_imgs" / f"{image}.png")
        rows.append(f",{image},1,{kind},{level},0.05,{dmos}")
    (folder / "csiq.DMOS.csv").write_text("\n".join([*rows, ",,,,,,"]) + "\n", "utf-8-sig")


def live(folder: Path, *, realigned: bool = True) -> None:
    count = sum(size for _, size in LIVE_KINDS.values())
    names = np.empty(count, object)
    names[:] = "bikes.bmp"
    names[227] = "ocean.bmp"
    original = np.ones(count)
    original[[0, 226, 227, count - 1]] = 0
    scores = np.zeros(count)
    scores[[0, 226, 227, count - 1]] = 0, 60, 30, 120
    for name in ("bikes", "ocean"):
        put(folder / "refimgs" / f"{name}.bmp")
    for name in ("jp2k/img1", "jp2k/img227", "jpeg/img1", "fastfading/img174"):
        put(folder / f"{name}.bmp")
    savemat(folder / "refnames_all.mat", {"refnames_all": names})
    savemat(folder / "dmos.mat", {"dmos": scores[::-1].copy(), "orgs": original})
    if realigned:
        savemat(folder / "dmos_realigned.mat", {"dmos_new": scores, "orgs": original})


def pipal(folder: Path) -> None:
    for content, rows in {
        "A0001": ["A0001_00_00.bmp,1400.0", "A0001_04_03.bmp,1000.0"],
        "A0002": ["A0002_06_01.bmp,1800.0"],
    }.items():
        put(folder / "Train_Ref" / f"{content}.bmp")
        for row in rows:
            part = "Distortion_2" if "_04_" in row else "Train_Dist"
            put(folder / part / row.partition(",")[0])
        labels = folder / "Train_Label"
        labels.mkdir(exist_ok=True)
        (labels / f"{content}.txt").write_text("\n".join(rows) + "\n")


def cid22(folder: Path) -> None:
    rows = ["reference_img,distorted_img,encoder,setting,bpp,MCOS,RMOS,Elo,nb_pc_opinions"]
    for number, encoder, score in ((1, "mozjpeg", "60"), (1, "Reference", "92"), (2, "avif", "35")):
        original = f"original/{number}.png"
        made = original if encoder == "Reference" else f"compressed/{number}/{encoder}-30.png"
        for name in (original, made):
            put(folder / "CID22_validation_set" / name)
        rows.append(f"{original},{made},{encoder},30,0.5,{score},,,40")
    (folder / "CID22_validation_set.csv").write_text("\n".join(rows) + "\n")


def konjnd(folder: Path) -> None:
    rows = ["image_id,Compression type,No. of ratings,mean,std,ratings"]
    for name, codec, ratings in (
        ("SRC0001.png", "JPEG", [40, 50, 60, 70]),
        ("SRC0002.png", "BPG", [30, 30, 30]),
    ):
        put(folder / "source_image" / name)
        for level in set(ratings):
            made = f"{name[:-4]}_{codec}_{level:03d}"
            if codec == "JPEG":
                put(folder / "jpeg" / f"{made}.png")
                (folder / "jpeg" / f"{made}.png").rename(folder / "jpeg" / f"{made}.jpg")
            else:
                put(folder / "bpg" / f"{made}.png")
        rows.append(f'{name},{codec},{len(ratings)},0,0,"{json.dumps(ratings)}"')
    (folder / "subjective_ratings.csv").write_text("\n".join(rows) + "\n")


def csv(folder: Path) -> None:
    rows = ["reference,distorted,score,kind"]
    for k, (reference, score) in enumerate((("a", 2), ("a", 8), ("b", 5))):
        put(folder / f"{reference}.png")
        put(folder / "made" / f"{k}.png")
        rows.append(f"{reference}.png,made/{k}.png,{score},fog")
    (folder / "opinions.csv").write_text("\n".join(rows) + "\n")


MADE: dict[str, tuple[Callable[..., None], list[tuple[str, str, float, str, str]]]] = {
    "tid2013": (
        tid2013,
        [
            ("reference_images/I01.BMP", "distorted_images/i01_01_1.bmp", 5.51429 / 9,
             "additive noise", "i01"),
            ("reference_images/I01.BMP", "distorted_images/I01_24_5.BMP", 0.1,
             "sparse sampling", "i01"),
            ("reference_images/i25.bmp", "distorted_images/i25_10_3.bmp", 0.5, "jpeg", "i25"),
        ],
    ),
    "kadid10k": (
        kadid10k,
        [
            ("images/I01.png", "images/I01_01_01.png", 1.0, "gaussian blur", "I01.png"),
            ("images/I01.png", "images/I01_25_05.png", 0.2, "contrast", "I01.png"),
            ("images/I02.png", "images/I02_10_03.png", 0.0, "jpeg", "I02.png"),
        ],
    ),
    "csiq": (
        csiq,
        [
            ("src_imgs/1600.png", "dst_imgs/awgn/1600.AWGN.1.png", 0.938, "noise", "1600"),
            ("src_imgs/1600.png", "dst_imgs/jpeg2000/1600.jpeg2000.5.png", 0.1, "jpeg 2000",
             "1600"),
            ("src_imgs/woman.png", "dst_imgs/blur/woman.BLUR.3.png", 1.0, "blur", "woman"),
        ],
    ),
    "live": (
        live,
        [
            ("refimgs/bikes.bmp", "jp2k/img1.bmp", 1.0, "jpeg 2000", "bikes.bmp"),
            ("refimgs/bikes.bmp", "jp2k/img227.bmp", 0.5, "jpeg 2000", "bikes.bmp"),
            ("refimgs/ocean.bmp", "jpeg/img1.bmp", 0.75, "jpeg", "ocean.bmp"),
            ("refimgs/bikes.bmp", "fastfading/img174.bmp", 0.0, "transmission errors",
             "bikes.bmp"),
        ],
    ),
    "pipal": (
        pipal,
        [
            ("Train_Ref/A0001.bmp", "Train_Dist/A0001_00_00.bmp", 0.5, "traditional", "A0001"),
            ("Train_Ref/A0001.bmp", "Distortion_2/A0001_04_03.bmp", 0.0,
             "super-resolution, GAN-based", "A0001"),
            ("Train_Ref/A0002.bmp", "Train_Dist/A0002_06_01.bmp", 1.0,
             "super-resolution and denoised", "A0002"),
        ],
    ),
    "cid22": (
        cid22,
        [
            ("CID22_validation_set/original/1.png",
             "CID22_validation_set/compressed/1/mozjpeg-30.png", 0.6, "mozjpeg",
             "original/1.png"),
            ("CID22_validation_set/original/2.png",
             "CID22_validation_set/compressed/2/avif-30.png", 0.35, "avif", "original/2.png"),
        ],
    ),
    # 10 and 25 % of four people see level 40 first, half of them 50, 75 % 60, 90 % only 70.
    "konjnd": (
        konjnd,
        [
            ("source_image/SRC0001.png", "jpeg/SRC0001_JPEG_040.jpg", 0.75, "JPEG", "SRC0001"),
            ("source_image/SRC0001.png", "jpeg/SRC0001_JPEG_050.jpg", 0.5, "JPEG", "SRC0001"),
            ("source_image/SRC0001.png", "jpeg/SRC0001_JPEG_060.jpg", 0.25, "JPEG", "SRC0001"),
            ("source_image/SRC0001.png", "jpeg/SRC0001_JPEG_070.jpg", 0.0, "JPEG", "SRC0001"),
            ("source_image/SRC0002.png", "bpg/SRC0002_BPG_030.png", 0.0, "BPG", "SRC0002"),
        ],
    ),
    "csv": (
        csv,
        [
            ("a.png", "made/0.png", 0.0, "fog", "a.png"),
            ("a.png", "made/1.png", 1.0, "fog", "a.png"),
            ("b.png", "made/2.png", 0.5, "fog", "b.png"),
        ],
    ),
}  # fmt: skip


@pytest.fixture
def made(tmp_path: Path):
    """Make a tiny set of a layout and give its folder."""

    def make(layout: str, **how: bool) -> Path:
        MADE[layout][0](tmp_path, **how)
        return tmp_path

    return make


def test_the_command_offers_every_layout_and_every_layout_is_tested():
    assert tuple(layout.value for layout in Layout) == LAYOUT_NAMES == tuple(MADE)


@pytest.mark.parametrize("layout", MADE)
def test_a_layout_gives_pairs_with_opinions(layout, made):
    folder = made(layout)
    expected = [
        OpinionPair(folder / reference, folder / distorted, opinion, kind, content)
        for reference, distorted, opinion, kind, content in MADE[layout][1]
    ]
    pairs = read_opinions(folder, layout)
    assert [pair.opinion for pair in pairs] == pytest.approx([e.opinion for e in expected])
    same = [pair._replace(opinion=e.opinion) for pair, e in zip(pairs, expected, strict=True)]
    assert same == expected


def test_live_without_realigned_scores_takes_the_others(made):
    folder = made("live", realigned=False)
    # These stand there in the reverse order.
    assert [pair.opinion for pair in read_opinions(folder, "live")] == [0.0, 1.0, 1.0, 1.0]


def test_a_higher_score_may_be_worse(made):
    folder = made("csv")
    worse = read_opinions(folder, "csv", higher_is_worse=True)
    assert [pair.opinion for pair in worse] == [1.0, 0.0, 0.5]


def test_pictures_may_lie_in_other_folders_below(made):
    folder = made("csiq")
    (folder / "dst_imgs").rename(folder / "unpacked")
    assert read_opinions(folder, "csiq")[0].distorted == folder / "unpacked/awgn/1600.AWGN.1.png"


@pytest.mark.parametrize(
    ("layout", "file", "old", "new", "line"),
    [
        ("tid2013", "mos_with_names.txt", "5.51429 I", "5,51429 I",
         "{folder}/mos_with_names.txt, line 1: score is '5,51429', expected a number"),
        ("tid2013", "mos_with_names.txt", "5.51429", "9.5",
         "{folder}/mos_with_names.txt, line 1: score is 9.5, expected 0 to 9"),
        ("tid2013", "mos_with_names.txt", "I01_01_1", "I01_25_1",
         "line 1: found '5.51429 I01_25_1.bmp', expected a score and a name such as i01_08_3.bmp"),
        ("kadid10k", "dmos.csv", "dmos,", "mos,",
         "{folder}/dmos.csv: column 'dmos' is missing, expected dist_img, ref_img, dmos"),
        ("kadid10k", "dmos.csv", "I01_01_01.png", "I01.png",
         "line 2: dist_img is 'I01.png', expected a name such as I01_08_03.png"),
        ("kadid10k", "dmos.csv", "I02_10_03.png,I02", "I02_10_03.png,I03",
         "{folder}/dmos.csv, line 4: images/I03.png is not in {folder}; expected every picture"),
        ("csiq", "csiq.DMOS.csv", ",noise,", ",fog,",
         "line 4: dst_type is 'fog', expected one of noise, blur, contrast, fnoise, jpeg, jpeg 2"),
        ("pipal", "Train_Label/A0001.txt", ",1400.0", " 1400.0",
         "A0001.txt, line 1: found 'A0001_00_00.bmp 1400.0', expected a line such as A0001_00_00"),
        ("pipal", "Train_Label/A0001.txt", "_00_00", "_07_00",
         "line 1: the kind is '07', expected one of 00, 01, 02, 03, 04, 05, 06"),
        ("cid22", "CID22_validation_set.csv", ",60,", ",,", "line 2: MCOS is '', expected a numb"),
        ("konjnd", "subjective_ratings.csv", "[40, 50, 60, 70]", "forty",
         "line 2: ratings are 'forty', expected a list of whole numbers"),
        ("konjnd", "subjective_ratings.csv", ",BPG,", ",WebP,",
         "line 3: Compression type is 'WebP', expected one of JPEG, BPG"),
        ("csv", "opinions.csv", "score,kind", "mos,kind",
         "{folder}/opinions.csv: column 'score' is missing, expected reference, distorted, score"),
        ("csv", "opinions.csv", ",8,", ",nan,", "line 3: score is 'nan', expected a number"),
        ("csv", "opinions.csv", ",8,fog", "", "line 3: score is '', expected a number"),
        ("csv", "opinions.csv", "made/1", "lost/1",
         "line 3: lost/1.png is not in {folder}; expected every picture of the list"),
        ("csv", "opinions.csv", "b.png", "a.png", "expected pairs of at least two contents"),
    ],
)  # fmt: skip
def test_a_wrong_line_is_named(layout, file, old, new, line, made):
    folder = made(layout)
    path = folder / file
    text = path.read_text("utf-8-sig")
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(DatasetError) as caught:
        read_opinions(folder, layout)
    assert line.format(folder=folder) in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("layout", MADE)
def test_an_empty_folder_says_what_is_missing(layout, tmp_path):
    with pytest.raises(DatasetError) as caught:
        read_opinions(tmp_path, layout)
    assert str(caught.value).startswith(f"{tmp_path}/")
    assert "expected" in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda folder: (folder / "dmos_realigned.mat").write_bytes(b"MATLAB"), "cannot be read"),
        (lambda folder: savemat(folder / "dmos_realigned.mat", {"dmos": [1]}),
         "the variable 'dmos_new' is missing"),
        (lambda folder: savemat(folder / "dmos_realigned.mat", {"dmos_new": [1], "orgs": [0]}),
         "found 1 scores, 1 flags and 982 names of references, expected 982 each"),
        (lambda folder: (folder / "jpeg/img1.bmp").unlink(), "jpeg/img1.bmp is not in "),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_release_of_live_is_said(spoil, line, made):
    folder = made("live")
    spoil(folder)
    with pytest.raises(DatasetError) as caught:
        read_opinions(folder, "live")
    assert line in str(caught.value) and "\n" not in str(caught.value)


def test_a_workbook_alone_says_how_to_save_it(tmp_path):
    (tmp_path / "csiq.DMOS.xlsx").write_bytes(b"PK")
    with pytest.raises(DatasetError) as caught:
        read_opinions(tmp_path, "csiq")
    assert str(caught.value) == (
        f"{tmp_path}/csiq.DMOS.xlsx: workbooks are not read; open it, and save its sheet "
        "all_by_image as CSV with commas, csiq.DMOS.csv beside it"
    )


def test_several_missing_pictures_are_one_line(made):
    folder = made("csv")
    for path in (folder / "made").iterdir():
        path.unlink()
    with pytest.raises(
        DatasetError, match=r"made/0\.png is not in .*, and so are 2 more; expected"
    ):
        read_opinions(folder, "csv")


def test_equal_scores_are_no_opinions(made):
    folder = made("csv")
    path = folder / "opinions.csv"
    path.write_text(path.read_text().replace(",8,", ",2,").replace(",5,", ",2,"))
    with pytest.raises(DatasetError, match="all scores are 2, expected different ones"):
        read_opinions(folder, "csv")


def test_a_layout_with_its_own_scale_takes_no_other(made):
    with pytest.raises(DatasetError, match="says itself what a higher score means"):
        read_opinions(made("kadid10k"), "kadid10k", higher_is_worse=True)
    with pytest.raises(DatasetError, match="layout 'nix': expected one of tid2013, kadid10k, "):
        read_opinions(made("kadid10k"), "nix")
