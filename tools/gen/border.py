#!/usr/bin/python3 -B
"""The border between kernel and host: rules, checks and tests, each of which needs the others.

    border.py --check           every reply field has a rule, every rule a check and a test that breaks it
    border.py --docs docs       writes docs/host-boundary.md, and the figures in docs/reliability.md
    border.py --figures         the figures of the border
    border.py --tests           for every rule: its name, and PROGRAM:CASE of the tests that break it

The fields come from include/myst/target.h and boot.h, the rules from kernel/host/border.tbl (whose
head explains it), the checks from kernel/host/*.c (BORDER… with a rule's name), the tests from
tests/unit/host_*.c: a comment `breaks: RULE…` above a case. kernel/host/border.h is what the checks
are written with."""

import argparse
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TABLE = "kernel/host/border.tbl"
HEADERS = ["include/myst/target.h", "include/myst/boot.h"]
DOCUMENT = "host-boundary.md"
FIGURES = "reliability.md"      # has a line for each of these figures, between two bars
ANY = "any"

COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*$", re.M)
AGGREGATE = re.compile(r"\b(struct|enum)\s+(\w+)\s*\{(.*?)\}\s*;", re.S)
PROTOTYPE = re.compile(r"([\w\s*]+?)\b((?:target|upcall)_\w+)\s*\(([^;]*?)\)"
                       r"(?:\s*__attribute__\(\(\w+\)\))?\s*;", re.S)
HANDLES = {"target_thread", "target_space"}     # given back to the target, which alone looks inside
HANDED_IN = ["target_regs", "target_thread", "target_fault", "boot_mount", "boot_address",
              "boot_interface", "boot_publish", "boot_net", "boot_info"]
RULE_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
CHECK = re.compile(r"\bBORDER[A-Z_]*\(([^()]*)")
FUNCTION = re.compile(r"^[a-z][\w\s*]*?\b(\w+)\([^;]*?\)\n\{", re.M)
BREAKS = re.compile(r"/\*[\s*]*breaks:([\w\s*]+?)\*/\s*static void (\w+)\(void \*\*state\)")


class BorderError(Exception):
    pass


def read(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        return file.read()


# ---- the fields of the headers ----

def struct_fields(body):
    fields = []
    for declaration in filter(None, (part.strip() for part in body.split(";"))):
        for name in declaration.split(","):
            fields.append(re.findall(r"\w+", re.sub(r"\[[^]]*\]", "", name))[-1])
    return fields


def out_fields(parameter, structs):
    """The fields of a target's parameter that the target answers in."""
    words = re.findall(r"\w+|\*", parameter)
    if "*" not in words or words[0] == "const":
        return []
    name, stars = words[-1], words.count("*")
    if words[0] == "struct":
        if stars == 1 and words[1] in HANDLES:
            return []
        if stars == 1:
            return [f"{name}.{field}" for field in structs[words[1]]]
    return ["*" + name]


def prototype_fields(result, name, parameters, structs):
    parameters = [p.strip() for p in parameters.split(",") if p.strip() != "void"]
    if name.startswith("upcall_"):      # the structures have sections of their own
        return [re.findall(r"\w+", p)[-1] for p in parameters if "*" not in p]
    fields = []
    words = re.findall(r"\w+|\*", result)
    if words != ["void"]:
        fields.append("result")
    if "*" in words:
        fields.append("*result")
    for parameter in parameters:
        fields += out_fields(parameter, structs)
    return fields


def border_fields():
    """{call or `struct NAME`: [field, …]} of all that comes in, in the order of the headers."""
    text = "\n".join(COMMENT.sub("", read(path)) for path in HEADERS)
    text = DIRECTIVE.sub("", text)
    structs = {name: struct_fields(body) for kind, name, body in AGGREGATE.findall(text)
               if kind == "struct"}
    fields = {}
    for result, name, parameters in PROTOTYPE.findall(AGGREGATE.sub("", text)):
        found = prototype_fields(result, name, parameters, structs)
        if found:
            fields[name] = found
    for name in HANDED_IN:
        fields["struct " + name] = structs[name]
    return fields


# ---- the table ----

class Table:
    """rules: {rule: text}; rows: {(section, field): [rule, …]}; reasons: {(section, field): why any
    value will do}."""

    def __init__(self, text=None):
        self.rules, self.rows, self.reasons = {}, {}, {}
        section = None
        for number, line in self._logical_lines(read(TABLE) if text is None else text):
            if not line.startswith(" "):
                section = line.strip()
                continue
            if section is None:
                raise BorderError(f"{TABLE}:{number}: a row before the first call")
            fields, rule, words = (line.split(None, 2) + ["", ""])[:3]
            self._row(number, section, fields.split(","), rule, words.strip())

    @staticmethod
    def _logical_lines(text):
        lines = []
        for number, line in enumerate(text.splitlines(), 1):
            line = line.rstrip()
            if not line or line.lstrip().startswith("#"):
                continue
            if line.startswith("     ") and lines:      # deeper than a row: it goes on
                lines[-1][1] += " " + line.strip()
            else:
                lines.append([number, line])
        return lines

    def _row(self, number, section, fields, rule, text):
        where = f"{TABLE}:{number}"
        if not RULE_NAME.match(rule):
            raise BorderError(f"{where}: '{rule}' is no name of a rule")
        if rule == ANY:
            if not text.startswith("because "):
                raise BorderError(f"{where}: `any` needs a reason: because …")
        elif text and rule in self.rules:
            raise BorderError(f"{where}: rule {rule} is written down twice")
        elif text:
            self.rules[rule] = text
        elif rule not in self.rules:
            raise BorderError(f"{where}: rule {rule} has no text")
        for field in fields:
            rules = self.rows.setdefault((section, field), [])
            if rule in rules or ANY in rules or (rule == ANY and rules):
                raise BorderError(f"{where}: {section} {field}: {rule} beside {', '.join(rules)}")
            rules.append(rule)
            if rule == ANY:
                self.reasons[section, field] = text


# ---- checks and tests ----

def find_checks(rules):
    """{rule: 'FILE, FUNCTION()'}, and the words of BORDER…() that are no rules."""
    checks, strange = {}, []
    for path in sorted(glob.glob(os.path.join(ROOT, "kernel/host/*.c"))):
        path = os.path.relpath(path, ROOT)
        text = COMMENT.sub(lambda m: " " * len(m.group()), read(path))
        functions = [(match.start(), match.group(1)) for match in FUNCTION.finditer(text)]
        for match in CHECK.finditer(text):
            inside = [name for start, name in functions if start < match.start()]
            named = [word for word in re.findall(r"\w+", match.group(1)) if word in rules]
            if not named and inside:
                strange.append(f"{path}: {match.group().strip()} names no rule")
            for rule in named:
                checks.setdefault(rule, f"{path.removeprefix('kernel/')}, {inside[-1]}()")
    return checks, strange


def find_tests():
    """{rule: [(program, case), …]}"""
    tests = {}
    for path in sorted(glob.glob(os.path.join(ROOT, "tests/unit/host_*.c"))):
        program = os.path.splitext(os.path.basename(path))[0]
        with open(path, encoding="utf-8") as file:
            for rules, case in BREAKS.findall(file.read()):
                for rule in rules.replace("*", " ").split():
                    tests.setdefault(rule, []).append((program, case))
    return tests


def find_strays(fields):
    """Calls of the target outside kernel/host/."""
    calls = [name for name in fields if name.startswith("target_")]
    call = re.compile(r"\b(" + "|".join(map(re.escape, calls)) + r")\s*\(")
    for path in sorted(glob.glob(os.path.join(ROOT, "kernel/**/*.[ch]"), recursive=True)):
        path = os.path.relpath(path, ROOT)
        if not path.startswith("kernel/host/"):
            for match in call.finditer(COMMENT.sub("", read(path))):
                yield f"{path}: {match.group(1)}() is called outside kernel/host/"


class Border:
    def __init__(self):
        self.fields = border_fields()
        self.table = Table()
        self.checks, self.strange = find_checks(self.table.rules)
        self.tests = find_tests()

    def faults(self):
        known = {(section, field) for section, fields in self.fields.items() for field in fields}
        for section, field in sorted(known - set(self.table.rows)):
            yield f"{TABLE}: {section} {field} has no rule"
        for section, field in sorted(set(self.table.rows) - known):
            yield f"{TABLE}: {section} {field}: the target has no such field"
        for rule in self.table.rules:
            if rule not in self.checks:
                yield f"{TABLE}: rule {rule} is checked nowhere in kernel/host/"
            if rule not in self.tests:
                yield f"{TABLE}: no case of tests/unit/host_*.c breaks {rule}"
        for rule in sorted(set(self.tests) - set(self.table.rules)):
            yield f"tests/unit/{self.tests[rule][0][0]}.c: {rule} is no rule"
        yield from self.strange
        yield from find_strays(self.fields)

    def counts(self):
        """(fields, those with a rule, those of which any value is safe, rules, those with a test)"""
        return (sum(map(len, self.fields.values())), len(self.table.rows), len(self.table.reasons),
                len(self.table.rules), sum(rule in self.tests for rule in self.table.rules))

    def figures(self):
        fields, ruled, free, rules, tested = self.counts()
        return (f"{ruled} of {fields} reply fields have a rule ({fields - free} are bounded, of {free} "
                f"any value is safe); {tested} of {rules} rules have a negative test")

    def documents(self):
        """{name: text} of what is generated in docs/. Which mutations are noticed only a run can tell."""
        fields, ruled, _, rules, tested = self.counts()
        text = read("docs/" + FIGURES)
        for what, figure in (("fields of replies with a rule", f"{ruled} of {fields}"),
                             ("rules with a negative test", f"{tested} of {rules}")):
            text = re.sub(rf"^\| {what} \| [^|]* \|", f"| {what} | {figure} |", text, flags=re.M)
        return {DOCUMENT: self.markdown(), FIGURES: text}

    def markdown(self):
        lines = [
            f"<!-- Generated by tools/gen/border.py from {TABLE}; do not edit. -->",
            "# The border between kernel and host",
            "",
            "Everything that a target hands to the kernel is hostile input: results, what it writes "
            "through",
            "pointers, and what it passes to up-calls. For every such field this page names the rule "
            "that bounds it, the",
            "place of the check, and the test that breaks the rule. [reliability.md](reliability.md) "
            "has the figures and how",
            "they are made, [CONTRIBUTING.md](../CONTRIBUTING.md) says how a call is added.",
            "",
            self.figures() + ".",
        ]
        for section in self.fields:
            lines += ["", f"## `{section}`", "", "| field | rule | check | test |",
                      "|---|---|---|---|"]
            for field in self.fields[section]:
                lines += self._lines(section, field)
        return "\n".join(lines) + "\n"

    def _lines(self, section, field):
        reason = self.table.reasons.get((section, field))
        if reason:
            yield f"| `{field}` | any value is safe {cell(reason)} | | |"
            return
        for rule in self.table.rows.get((section, field), []):
            tests = ", ".join(f"`{program}`: {case}" for program, case in self.tests.get(rule, []))
            yield (f"| `{field}` | **{rule}**: {cell(self.table.rules[rule])} "
                   f"| {self.checks.get(rule, '')} | {tests} |")


def cell(text):
    return text.replace("|", "\\|")


def header(table):
    lines = [f"/* Generated by tools/gen/gen.py from {TABLE}; do not edit. */",
             "#ifndef BORDER_RULES_H", "#define BORDER_RULES_H", "",
             "#define FOR_BORDER_RULES(X) \\"]
    lines += [f"    X({rule}) \\" for rule in table.rules]
    return "\n".join(lines + ["", "#endif"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--docs", metavar="DIR")
    parser.add_argument("--figures", action="store_true")
    parser.add_argument("--tests", action="store_true")
    options = parser.parse_args()
    try:
        border = Border()
    except BorderError as error:
        sys.exit(str(error))
    if options.docs:
        for name, text in border.documents().items():
            with open(os.path.join(options.docs, name), "w", encoding="utf-8") as file:
                file.write(text)
    if options.figures:
        print(border.figures())
    if options.tests:
        for rule in border.table.rules:
            print(rule, *(f"{program}:{case}" for program, case in border.tests.get(rule, [])))
    if options.check:
        faults = list(border.faults())
        if not faults:
            faults = [f"docs/{name} is not of today: tools/gen/border.py --docs docs"
                      for name, text in border.documents().items() if read("docs/" + name) != text]
        print(*faults, sep="\n", end="\n" if faults else "")
        sys.exit(bool(faults))


if __name__ == "__main__":
    main()
