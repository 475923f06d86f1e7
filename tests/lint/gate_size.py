# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of code have at most 600 lines, functions at most 60: they fit into a head and on a screen."""
import ast

import c_source


def python_functions(text):
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.lineno, node.end_lineno - node.lineno + 1, node.name


def check(tree):
    file_max = tree.limit("file_lines", 600)
    function_max = tree.limit("function_lines", 60)
    scripts = set(tree.scripts())
    for path in tree.paths:
        if not path.endswith((".c", ".h", ".py")) and path not in scripts:
            continue
        text = tree.text(path)
        count = len(text.splitlines())
        if count > file_max:
            yield f"{path}:1: has {count} lines, more than {file_max}"
        if path in scripts:
            continue
        functions = python_functions if path.endswith(".py") else c_source.functions
        for line, length, name in functions(text):
            if length > function_max:
                yield f"{path}:{line}: {name} has {length} lines, more than {function_max}"
