# lists
easy = [("blur", "noise", "a.png")]
medium = [
    ("mixed", "snow", "a.png"),
]
