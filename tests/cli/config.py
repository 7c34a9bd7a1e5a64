#!/usr/bin/python3 -B
"""The JSON file of --config: every key, and complaints that name the line and the key."""

import os

from support import CliTest, NOT_STARTED, USAGE, as_root, main


class ConfigTest(CliTest):
    def configured(self, text, *arguments, **options):
        self.write("c.json", text)
        return self.launched("--config", "c.json", *(arguments or ("/",)), **options)

    def refuse_config(self, words, text, *arguments):
        self.write("c.json", text)
        self.refused(USAGE, ["c.json", *words], "exec", "--config", "c.json",
                     *(arguments or ("/", "p")))


class Keys(ConfigTest):
    def test_all(self):
        got = self.configured("""{
            "ApplicationPath": "/bin/prog",
            "ApplicationParameters": ["-a", "", "b c"],
            "EnvironmentVariables": ["A=1", "PATH=/p"],
            "HostEnvironmentVariables": ["B", "UNSET"],
            "CurrentWorkingDirectory": "/work",
            "Hostname": "box",
            "MemorySize": "64m",
            "Mount": [{"Source": "/usr", "Target": "/mnt", "Type": "hostfs",
                       "Flags": ["ro", "nodev", "x=y"]},
                      {"Target": "/t", "Type": "tmpfs"}],
            "User": "7:8",
            "Writable": true,
            "Strace": true,
            "Stats": true,
            "NoPatch": true,
            "HostFaults": "9:10"
        }""", env={"B": "2", "PATH": "/host"})
        self.assertEqual(got["argv"], ["/bin/prog", "-a", "", "b c"])
        self.assertEqual(got["envp"], ["PATH=/p", "B=2", "A=1"])
        self.assertEqual([got[key] for key in ("cwd", "hostname", "memory_size", "uid", "gid")],
                         ["/work", "box", 64 << 20, 7, 8])
        self.assertEqual([got[key] for key in ("writable", "stats", "no_patch", "strace")],
                         [True, True, True, ""])
        self.assertEqual((got["fault_seed"], got["fault_interval"]), (9, 10))
        self.assertEqual(got["mounts"], [
            {"source": "/usr", "source_fd": "directory", "target": "/mnt", "type": "hostfs",
             "flags": 5, "data": "x=y"},
            {"source": "none", "source_fd": None, "target": "/t", "type": "tmpfs", "flags": 0,
             "data": ""}])

    def test_empty_object_changes_nothing(self):
        self.assertEqual(self.configured("{}", "/", "p"), self.launched("/", "p"))

    def test_numbers(self):
        got = self.configured('{"MemorySize": 4096, "User": 12}', "/", "p")
        self.assertEqual((got["memory_size"], got["uid"]), (4096, 12))

    def test_false(self):
        got = self.configured('{"Stats": false, "Strace": false, "Writable": false}', "/", "p")
        self.assertEqual((got["stats"], got["strace"], got["writable"]), (False, None, False))

    def test_strace_filter(self):
        self.assertEqual(self.configured('{"Strace": "read,!write"}', "/", "p")["strace"],
                         "read,!write")

    def test_environment_goes_over_the_hosts_in_any_order(self):
        for keys in ('"EnvironmentVariables": ["A=file"], "HostEnvironmentVariables": ["A"]',
                     '"HostEnvironmentVariables": ["A"], "EnvironmentVariables": ["A=file"]'):
            got = self.configured("{%s}" % keys, "/", "p", env={"A": "host"})
            self.assertEqual(got["envp"], ["A=file"])

    def test_utf8(self):
        self.assertEqual(self.configured('{"ApplicationPath": "/b\\u00fc\u00fc"}')["program"],
                         "/b\u00fc\u00fc")


class CommandLineOverrides(ConfigTest):
    FILE = """{"ApplicationPath": "file", "ApplicationParameters": ["1", "2"],
               "CurrentWorkingDirectory": "/file", "MemorySize": "1m",
               "EnvironmentVariables": ["A=file", "B=file"],
               "Mount": [{"Source": "/usr", "Target": "/file"}]}"""

    def test_single_values_in_any_order(self):
        self.write("c.json", self.FILE)
        for words in (["--config=c.json", "--cwd=/line"], ["--cwd=/line", "--config=c.json"]):
            got = self.launched(*words, "/")
            self.assertEqual((got["cwd"], got["memory_size"]), ("/line", 1 << 20))

    def test_program_brings_its_own_arguments(self):
        self.assertEqual(self.configured(self.FILE, "/", "line")["argv"], ["line"])
        self.assertEqual(self.configured(self.FILE, "/", "line", "x")["argv"], ["line", "x"])

    def test_lists_are_joined(self):
        got = self.configured(self.FILE, "--env", "A=line", "--mount", "/usr=/line", "/", env={})
        self.assertEqual(got["envp"], ["A=line", "B=file"])
        self.assertEqual([mount["target"] for mount in got["mounts"]], ["/file", "/line"])


class WrongFiles(ConfigTest):
    def test_missing(self):
        self.refused(USAGE, ["none.json", "No such file"], "exec", "--config", "none.json", "/",
                     "p")

    def test_directory(self):
        self.refused(USAGE, ["Is a directory"], "exec", "--config", "/", "/", "p")

    @as_root
    def test_unreadable(self):
        self.write("c.json", "{}")
        os.chmod(self.path("c.json"), 0o600)
        self.complain(USAGE, ["c.json", "Permission denied"],
                      self.as_nobody("exec", "--config", "c.json", "/", "p"))

    def test_endless(self):
        self.refused(USAGE, ["/dev/zero", "too large"], "exec", "--config", "/dev/zero", "/", "p")

    def test_nul(self):
        self.refuse_config(["NUL"], '{"Hostname": "a\0b"}')

    def test_twice(self):
        self.write("c.json", "{}")
        self.refused(USAGE, ["twice"], "exec", "--config=c.json", "--config=c.json", "/", "p")

    def test_no_program_anywhere(self):
        self.refuse_config_without_program("{}")

    def refuse_config_without_program(self, text):
        self.write("c.json", text)
        self.refused(USAGE, ["PROGRAM is missing"], "exec", "--config", "c.json", "/")


class Syntax(ConfigTest):
    def test_empty(self):
        self.refuse_config(["line 1"], "")

    def test_not_an_object(self):
        for text in ("[]", '"x"', "1", "nonsense"):
            self.refuse_config(["line 1"], text)

    def test_line_and_key(self):
        self.refuse_config(["line 3", '"MemorySize"'],
                           '{\n  "Hostname": "x",\n  "MemorySize": 12q\n}')

    def test_missing_comma(self):
        self.refuse_config(["line 3", '"Hostname"'], '{\n"Hostname": "x"\n"User": "1"}')

    def test_unclosed(self):
        self.refuse_config(["line 2", '"Mount"'], '{\n"Mount": [')
        self.refuse_config(["line 2", '"Hostname"'], '{\n"Hostname": "abc\n}')

    def test_trailing_text(self):
        self.refuse_config(["line 2", "end of file"], '{"Stats": true}\n{}')

    def test_twice(self):
        self.refuse_config(["line 3", "Stats"], '{\n"Stats": true,\n"Stats": false}')

    def test_bad_utf8(self):
        self.refuse_config(["line 1", '"Hostname"'], b'{"Hostname": "\xff"}')

    def test_escaped_nul(self):
        self.refuse_config(["line 1", '"Hostname"'], '{"Hostname": "a\\u0000b"}')

    def test_deep(self):
        self.refuse_config(["line 1"], "[" * 100000)


class WrongValues(ConfigTest):
    """Line and key of the value itself, whatever stands around it."""

    def test_unknown_key(self):
        self.refuse_config(["line 3", '"ForkMode"', "not known"],
                           '{\n"Hostname": "ForkMode",\n"ForkMode": "pseudo"}')

    def test_unknown_key_in_a_mount(self):
        self.refuse_config(["line 3", '"PublicKey"', "not known"],
                           '{"Mount": [{"Source": "/", "Target": "/PublicKey"},\n'
                           ' {"Source": "/", "Target": "/x",\n"PublicKey": ""}]}')

    def test_types(self):
        for key in ("ApplicationPath", "CurrentWorkingDirectory", "Hostname"):
            self.refuse_config(["line 2", f'"{key}"', "string"], '{\n"%s": 1}' % key)
        for key in ("ApplicationParameters", "EnvironmentVariables", "HostEnvironmentVariables"):
            self.refuse_config(["line 2", f'"{key}"', "array"], '{\n"%s": "x"}' % key)
            self.refuse_config(["line 3", f'"{key}"', "string"], '{\n"%s": [\n1]}' % key)
        for key in ("Writable", "Stats", "NoPatch"):
            self.refuse_config(["line 2", f'"{key}"', "true or false"], '{\n"%s": "yes"}' % key)
        for key in ("MemorySize", "User", "Strace"):
            self.refuse_config(["line 2", f'"{key}"', "string"], '{\n"%s": [1]}' % key)
        self.refuse_config(["line 2", '"MemorySize"'], '{\n"MemorySize": 1.5}')

    def test_contents(self):
        for key, value, word in (
                ("ApplicationPath", '""', "empty"), ("CurrentWorkingDirectory", '"x"', "absolute"),
                ("Hostname", '"%s"' % ("h" * 65), "64"), ("MemorySize", '"12q"', "12q"),
                ("MemorySize", "-1", "-1"), ("MemorySize", "0", "0"), ("User", '"a:"', "a:"),
                ("Strace", '"reed"', "reed"),
                ("EnvironmentVariables", '["A"]', "'A'"),
                ("HostEnvironmentVariables", '["A=1"]', "A=1")):
            self.refuse_config(["line 2", f'"{key}"', word], '{\n"%s": %s}' % (key, value))

    def test_mounts(self):
        for text, words in (
                ('"Mount": {}', ["line 2", '"Mount"', "array"]),
                ('"Mount": [1]', ["line 2", '"Mount"', "object"]),
                ('"Mount": [{"Source": "/"}]', ["line 2", "no Target"]),
                ('"Mount": [{"Source": "/", "Target": "/x"},\n{"Target": "/x"}]',
                 ["line 3", "no Source"]),
                ('"Mount": [{"Target": "/x", "Type": "hostfs"}]', ["line 2", "no Source"]),
                ('"Mount": [{"Source": "/",\n"Target": "x"}]', ["line 3", '"Target"', "absolute"]),
                ('"Mount": [{"Source": "/",\n"Target": 1}]', ["line 3", '"Target"', "string"]),
                ('"Mount": [{"Source": "",\n"Target": "/"}]', ["line 2", '"Source"', "empty"]),
                ('"Mount": [{"Source": "/",\n"Type": "ntfs"}]', ["line 3", '"Type"', "ntfs"]),
                ('"Mount": [{"Source": "/",\n"Flags": "ro"}]', ["line 3", '"Flags"', "array"]),
                ('"Mount": [{"Source": "/",\n"Flags": ["re"]}]', ["line 3", '"Flags"', "'re'"])):
            self.refuse_config(words, "{\n%s}" % text)

    def test_missing_source_of_a_mount(self):
        self.write("c.json", '{"Mount": [{"Source": "/nothing", "Target": "/x"}]}')
        self.refused(NOT_STARTED, ["/nothing", "No such file"], "exec", "--config", "c.json", "/",
                     "p")

    def test_strings_with_brackets_and_quotes(self):
        self.refuse_config(["line 4", '"Hostname"'],
                           '{"EnvironmentVariables": ["A=}]\\"{[", "B=\\\\"],\n'
                           '"ApplicationParameters": ["\\"Hostname\\": 1"],\n\n"Hostname": 3}')


if __name__ == "__main__":
    main()
