"""Web pages of our own for `screenshot_gate.py`, and true changes of each: old and new text."""

from __future__ import annotations

from typing import NamedTuple


class Page(NamedTuple):
    """The body of a page, and changes by what they are: (text in the body, what replaces it)."""

    body: str
    changes: dict[str, tuple[str, str]]


_SHOP = """
<style>body{margin:24px;font:16px "Liberation Sans";color:#222;background:#fff}
.card{display:inline-block;width:150px;margin-right:16px;padding:12px;border:1px solid #ccc;
border-radius:6px}.price{font-size:20px;font-weight:bold}
.buy{position:relative;display:inline-block;background:#1a66d6;color:#fff;padding:6px 14px;
border-radius:4px}
small{font-size:12px;color:#666}</style>
<h2>Garden tools</h2>
<div class="card">Spade<br><span class="price">€ 24.90</span><br><small>4.6 stars, 312 votes</small>
<br><br><span class="buy" style="left:0px">Add to cart</span></div>
<div class="card">Rake<br><span class="price">€ 18.50</span><br><small>4.1 stars, 98 votes</small>
<br><br><span class="buy">Add to cart</span></div>
<div class="card">Wheelbarrow<br><span class="price">€ 89.00</span><br>
<small>4.8 stars, 1,204 votes</small><br><br><span class="buy">Add to cart</span></div>
<p>Delivery in two to three days. Returns are free for thirty days.</p>
"""

_ARTICLE = """
<style>body{margin:28px;font:17px/1.5 "DejaVu Serif";color:#1b1b1b;background:#fdfcf8}
h1{font-size:28px}blockquote{border-left:4px solid #b55;padding-left:12px;color:#555}
.by{font:13px "Liberation Sans";color:#777}</style>
<h1>Why rivers bend</h1><p class="by">by the editors, 12 March</p>
<p>Water that flows down a plain never keeps a straight line for long. A stone or a fallen tree
turns it to one bank, where it cuts; on the other bank it drops what it carries.</p>
<blockquote>The outer bank moves by up to 8 metres a year.</blockquote>
<p>Given time, every bend grows until the river takes a short cut and leaves a lake behind.</p>
"""

_TABLE = """
<style>body{margin:20px;font:14px "DejaVu Sans";color:#333;background:#f4f6f8}
table{border-collapse:collapse;background:#fff}td,th{padding:7px 14px;border:1px solid #dde;
text-align:right}th{background:#e8ecf2}.up{color:#17803d}.down{color:#c0262d}
.bar{fill:#4c78a8}</style>
<h3>Orders by month</h3>
<table><tr><th>Month</th><th>Orders</th><th>Income</th><th>Change</th></tr>
<tr><td>January</td><td>1,204</td><td>48,160</td><td class="up">+3.1 %</td></tr>
<tr><td>February</td><td>1,187</td><td>47,480</td><td class="down">−1.4 %</td></tr>
<tr><td>March</td><td>1,391</td><td>55,640</td><td class="up">+17.2 %</td></tr></table><br>
<svg width="360" height="120"><rect class="bar" x="20" y="40" width="60" height="70"/>
<rect class="bar" x="120" y="44" width="60" height="66"/>
<rect class="bar" x="220" y="14" width="60" height="96"/>
<path d="M10 110H350" stroke="#555"/><circle cx="320" cy="30" r="12" fill="#e45756"/></svg>
"""

_FORM = """
<style>body{margin:24px;font:15px "Liberation Sans";color:#111;background:#fff}
label{display:block;margin:10px 0 3px}.box{border:1px solid #999;border-radius:3px;width:260px;
padding:6px;color:#333}.ok{display:inline-block;margin-top:16px;background:#2e7d32;color:#fff;
padding:8px 20px;border-radius:20px}.note{color:#b00020;font-size:12px}
.tick{display:inline-block;width:14px;height:14px;border:1px solid #555;margin-right:6px;
vertical-align:-2px}</style>
<h2>Your account</h2><label>Name</label><div class="box">Ada Lovelace</div>
<label>Email</label><div class="box">ada@example.org</div><div class="note">Please confirm.</div>
<p><span class="tick" style="background:#fff"></span>Send me the newsletter</p>
<span class="ok">Save changes</span>
"""

_DARK = """
<style>body{margin:24px;font:15px "DejaVu Sans";color:#d7dae0;background:#1e222a}
.row{display:flex;justify-content:space-between;width:420px;padding:9px 0;
border-bottom:1px solid #333a45}.on{background:#61afef}.off{background:#4b5362}
.switch{width:36px;height:18px;border-radius:9px}
.tag{background:#3a2f4f;color:#c9a6ff;padding:2px 8px;border-radius:8px;font-size:12px}</style>
<h3>Settings <span class="tag">beta</span></h3>
<div class="row">Notifications<span class="switch on"></span></div>
<div class="row">Share usage data<span class="switch off"></span></div>
<div class="row">Storage used<span>7.4 of 15 GB</span></div>
<div class="row">Version<span>3.18.2</span></div>
"""

_CODE = """
<style>body{margin:22px;font:14px "Liberation Mono";color:#24292e;background:#fff}
pre{font:14px/1.4 "DejaVu Sans Mono";background:#f6f8fa;padding:14px;border-radius:6px}
b{color:#d73a49;font-weight:normal}i{color:#6a737d;font-style:normal}</style>
<p>settings.py</p><pre><b>def</b> limits(count):
    <i># at most three</i>
    <b>if</b> count &gt; 3:
        <b>return</b> 3
    <b>return</b> max(count, 0)

TIMEOUT = 30</pre><p>2 files changed, 14 insertions</p>
"""

_MAIL = """
<style>body{margin:0;font:14px "Liberation Sans";color:#202124;background:#fff}
.m{display:flex;padding:10px 16px;border-bottom:1px solid #eee;width:540px}
.w{width:130px;font-weight:bold}.t{flex:1;color:#444}.d{color:#777;font-size:12px}
.bar{background:#f2f6fc;padding:12px 16px;font-size:18px}</style>
<div class="bar">Inbox (3)</div>
<div class="m"><span class="w">Mira</span><span class="t">Lunch on Friday?</span>
<span class="d">9:41</span></div>
<div class="m"><span class="w">Bank</span><span class="t">Your statement is ready</span>
<span class="d">8:05</span></div>
<div class="m"><span class="w">Jonas</span><span class="t">Photos of the lake</span>
<span class="d">Tue</span></div>
<div class="m"><span class="w">Library</span><span class="t">Two books are due on Monday</span>
<span class="d">Mon</span></div>
"""

_TICKET = """
<style>body{margin:26px;font:15px "Liberation Serif";color:#222;background:#eef3ee}
.c{width:400px;background:#fff;border:2px dashed #7a9a7a;padding:18px}
.big{font:bold 26px "Liberation Sans"}.g{color:#567}
.s{display:inline-block;width:18px;height:18px;background:#9ac29a;margin:2px}</style>
<div class="c"><span class="big">Platform 4</span><br><span class="g">Train 718, coach 12</span>
<p>From Ostend 10:25<br>To Liège 12:48</p>
<span class="s"></span><span class="s"></span><span class="s" style="background:#9ac29a"></span>
<span class="s"></span><p class="g">Seat 61, by the window. Total 31.20 euro.</p></div>
"""

PAGES = {
    "shop": Page(
        _SHOP,
        {
            "price": ("€ 18.50", "€ 16.50"),
            "moved button": ("left:0px", "left:3px"),
            "colour": ("background:#1a66d6", "background:#2a8a4a"),
            "word": ("Rake", "Rope"),
        },
    ),
    "article": Page(
        _ARTICLE,
        {
            "digit": ("up to 8 metres", "up to 3 metres"),
            "word": ("fallen tree", "broken tree"),
            "colour": ("solid #b55", "solid #55b"),
            "gone": ('<p class="by">by the editors, 12 March</p>', '<p class="by">&nbsp;</p>'),
        },
    ),
    "table": Page(
        _TABLE,
        {
            "digit": ("1,187", "1,181"),
            "sign": ("−1.4", "+1.4"),
            "bar": ('y="44" width="60" height="66"', 'y="50" width="60" height="60"'),
            "moved dot": ('cx="320"', 'cx="325"'),
        },
    ),
    "form": Page(
        _FORM,
        {
            "ticked": ('style="background:#fff"', 'style="background:#2e7d32"'),
            "letter": ("ada@example", "adam@example"),
            "moved button": ("margin-top:16px", "margin-top:20px"),
            "gone": ("Please confirm.", "&nbsp;"),
        },
    ),
    "dark": Page(
        _DARK,
        {
            "switched": ("switch off", "switch on"),
            "digit": ("3.18.2", "3.18.3"),
            "colour": ("color:#c9a6ff", "color:#ffd166"),
            "number": ("7.4 of", "9.4 of"),
        },
    ),
    "code": Page(
        _CODE,
        {
            "digit": ("TIMEOUT = 30", "TIMEOUT = 80"),
            "operator": ("count &gt; 3", "count &lt; 3"),
            "word": ("insertions", "deletions "),
            "colour": ("b{color:#d73a49", "b{color:#005cc5"),
        },
    ),
    "mail": Page(
        _MAIL,
        {
            "count": ("Inbox (3)", "Inbox (8)"),
            "time": ("8:05", "8:06"),
            "word": ("Lunch", "Lynch"),
            "moved rows": ("padding:12px 16px", "padding:15px 16px"),
        },
    ),
    "ticket": Page(
        _TICKET,
        {
            "price": ("31.20", "37.20"),
            "platform": ("Platform 4", "Platform 1"),
            "square": ('style="background:#9ac29a"', 'style="background:#c29a9a"'),
            "time": ("10:25", "10:26"),
        },
    ),
}
