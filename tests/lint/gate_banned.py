# SPDX-License-Identifier: GPL-2.0-or-later
"""Functions that are not called: each with the reason, and the places that may call it all the same."""
import re

import c_source

BOUNDS = "does not know the size of its target"
SILENT = "tells no error: use base/parse.h"
SHELL = "starts a shell"
STATE = "keeps hidden state"
RANDOM = "is not random: use hash.h or getrandom"
CLOCK = "time is an argument: only the recorder and the endpoints read a clock"
PRINT = "only writers and commands print"
FILES = "this room knows nothing of files"

PURE = ["src/names/", "src/timing/", "src/event/", "src/proto/", "src/model/", "src/diagnose/"]
CLOCK_READERS = ["src/live/", "src/net/", "src/cmd/"]

# name: (reason, folders where it is banned, places excepted)
BANNED = {
    **dict.fromkeys(["strcpy", "strcat", "sprintf", "vsprintf", "gets", "stpcpy", "scanf", "sscanf",
                     "fscanf"], (BOUNDS, [""], [])),
    **dict.fromkeys(["strncpy", "strncat"], ("leaves the end open: use snprintf", [""], [])),
    **dict.fromkeys(["atoi", "atol", "atoll", "atof"], (SILENT, [""], [])),
    **dict.fromkeys(["system", "popen"], (SHELL, [""], [])),
    **dict.fromkeys(["strtok", "localtime", "gmtime", "ctime", "asctime", "inet_ntoa",
                     "setlocale"], (STATE, [""], [])),
    **dict.fromkeys(["rand", "srand", "random", "srandom", "drand48"], (RANDOM, [""], [])),
    **dict.fromkeys(["tmpnam", "tempnam", "mktemp"], ("races: use mkstemp", [""], [])),
    **dict.fromkeys(["alloca", "setjmp", "longjmp", "sigsetjmp", "siglongjmp"],
                    ("breaks the stack's discipline", [""], [])),
    **dict.fromkeys(["time", "clock", "clock_gettime", "gettimeofday"],
                    (CLOCK, ["src/"], CLOCK_READERS)),
    **dict.fromkeys(["printf", "fprintf", "vprintf", "vfprintf", "puts", "fputs", "putchar",
                     "perror"], (PRINT, PURE, [])),
    **dict.fromkeys(["fopen", "fdopen", "open", "openat", "stat", "opendir"], (FILES, PURE, [])),
}

CALL = re.compile(r"(?<![\w.>])(" + "|".join(BANNED) + r")\s*\(")


def check(tree):
    for path in tree.files(".c", ".h"):
        text = c_source.blank_comments_and_strings(tree.text(path))
        for number, line in enumerate(text.splitlines(), 1):
            for found in CALL.finditer(line):
                reason, where, excepted = BANNED[found[1]]
                if path.startswith(tuple(where)) and not path.startswith(tuple(excepted)):
                    yield f"{path}:{number}: {found[1]}: {reason}"
