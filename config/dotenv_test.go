package config_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/trysail-go/trysail/config"
)

func TestEnvFile(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"plain":                         {"A=b", "b"},
		"export":                        {"export A=b", "b"},
		"export with a tab":             {"export\tA=b", "b"},
		"a name that begins with it":    {"exported=1\nA=b", "b"},
		"space around the equals sign":  {"A = b  ", "b"},
		"space inside":                  {"A=b c", "b c"},
		"empty":                         {"A=", ""},
		"an equals sign inside":         {"A=b=c", "b=c"},
		"a comment":                     {"A=b # c", "b"},
		"a comment alone":               {"A=# c", ""},
		"no comment without space":      {"A=b#c", "b#c"},
		"comments and blank lines":      {"# c=d\n\n   # e\nA=b\n", "b"},
		"single quotes":                 {`A='b # "c" \n $D'`, `b # "c" \n $D`},
		"single quotes over lines":      {"A='b\nc'\nD=e", "b\nc"},
		"double quotes":                 {`A="b # 'c'"`, "b # 'c'"},
		"escapes":                       {`A="b\n\t\r\\\"\$\` + "`" + `\x"`, "b\n\t\r\\\"$`\\x"},
		"double quotes over lines":      {"A=\"b\n c\"\nD=e", "b\n c"},
		"a line that goes on":           {"A=\"b\\\nc\"", "bc"},
		"a comment after quotes":        {"A='b' # c", "b"},
		"a hash right after quotes":     {"A='b'#c", "b"},
		"Windows":                       {"\ufeffA=b\r\nD=\"e\r\nf\"\r\n", "b"},
		"Windows inside quotes":         {"A=\"b\r\nc\"", "b\nc"},
		"nothing is expanded":           {"D=e\nA=$D/${D}", "$D/${D}"},
		"the last one counts":           {"A=c\nA=b", "b"},
		"an apostrophe inside":          {"A=it's", "it's"},
		"JSON without quotes":           {`A={"retry_attempts": 4}`, `{"retry_attempts": 4}`},
		"JSON in double quotes":         {`A="{\"retry_attempts\": 4}"`, `{"retry_attempts": 4}`},
		"the specification's":           {"export A='" + advancedCustom + "'", advancedCustom},
		"a value in another alphabet":   {"A=ветер", "ветер"},
		"quotes with space before them": {"A=   'b'", "b"},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := config.ParseEnvFile(".env", []byte(tc.content))
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := file.Value("A"); got != tc.want || !ok {
				t.Errorf("A of %q = %q, %t; want %q", tc.content, got, ok, tc.want)
			}
			if twice := name == "the last one counts"; (len(file.Warnings) > 0) != twice {
				t.Errorf("warnings %q", file.Warnings)
			}
		})
	}
}

func TestEnvFileKnowsItsLines(t *testing.T) {
	file := envFile(t, "# c\nA='x\ny'\n\nB=\"p\\\nq\"\nC=z\nA=w\n")
	for name, line := range map[string]int{"A": 8, "B": 5, "C": 7, "D": 0} {
		if got := file.Line(name); got != line {
			t.Errorf("Line(%s) = %d, want %d", name, got, line)
		}
	}
	if got := strings.Join(file.Names(), " "); got != "A B C" {
		t.Errorf("Names() = %s, want A B C", got)
	}
	if want := ".env sets A on line 2 and again on line 8: the last one counts"; len(file.Warnings) != 1 || file.Warnings[0] != want {
		t.Errorf("warnings %q, want %q", file.Warnings, want)
	}
}

// Each fault has its line, and none shows what may be a secret.
func TestBadEnvFile(t *testing.T) {
	for name, tc := range map[string]struct{ content, want string }{
		"no equals sign":       {"A=b\nhunter2", ".env:2: there is no equals sign"},
		"no name":              {"=hunter2", ".env:1: there is no name"},
		"a name with a dash":   {"hun-ter2=x", ".env:1: the name in front of the equals sign is none"},
		"a digit in front":     {"2hunter=x", ".env:1: the name in front of the equals sign is none"},
		"a piece of a key":     {"KEY=-----BEGIN\nhunter2/abc==\n", ".env:2: the name in front of the equals sign is none"},
		"an open single quote": {"A=b\nB='hunter2\n", ".env:2: the quote ' of B is not closed"},
		"an open double quote": {"B=\"hunter2\\\"\n", `.env:1: the quote " of B is not closed`},
		"more after a quote":   {"B='x' hunter2", ".env:1: there is more after the closing quote of B"},
		"after several lines":  {"B='x\ny' hunter2", ".env:2: there is more after the closing quote of B"},
		"a NUL byte":           {"A=b\nB=hunter2\x00", ".env:2: there is a NUL byte"},
		"another encoding":     {"A=hunter2\xff", ".env: it is not valid UTF-8"},
		"too large":            {"A=hunter2" + strings.Repeat("x", 1<<20), ".env: it has more than 1048576 bytes"},
		"several":              {"hunter2\nA=b\n=\n'", ".env:3: there is no name"},
		"very many":            {strings.Repeat("hunter2\n", 1000), ".env: there may be more faults: only the first 100 are listed"},
	} {
		t.Run(name, func(t *testing.T) {
			file, err := config.ParseEnvFile(".env", []byte(tc.content))
			var faults *config.EnvFileError
			if !errors.As(err, &faults) || file != nil || !strings.Contains(err.Error(), tc.want) {
				t.Fatalf("ParseEnvFile() = %v, %v; want %q", file, err, tc.want)
			}
			if strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "hun-ter2") {
				t.Errorf("the error shows a value: %v", err)
			}
		})
	}
}

func TestReadEnvFile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, ".env")
	if _, err := config.ReadEnvFile(name); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("ReadEnvFile() of nothing = %v, want ErrNotExist", err)
	}
	if _, err := config.ReadEnvFile(dir); err == nil || !strings.Contains(err.Error(), "is not a regular file") {
		t.Errorf("ReadEnvFile() of a folder = %v", err)
	}
	if err := os.WriteFile(name, []byte("A=b"), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := config.ReadEnvFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got, ok := file.Value("A"); got != "b" || !ok {
		t.Errorf("A = %q, %t; want b", got, ok)
	}
	var none *config.EnvFile
	if _, ok := none.Value("A"); ok || none.Line("A") != 0 || none.Names() != nil {
		t.Error("no file at all has a variable")
	}
}

// Whatever the content: no panic, all or nothing, faults with lines of the file, and what is written back in single
// quotes is read as it was.
func FuzzEnvFile(f *testing.F) {
	for _, seed := range []string{
		"A=b", "export A='b\nc' # d", `A="b\n\"c"`, "\ufeffA = b\r\n", "A=\"", "A='", "=", "export =b", "A=b\nA=c", "A='b'c", "A=\"\\", "\x00", "A=#",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		file, err := config.ParseEnvFile(".env", content)
		if err != nil {
			var faults *config.EnvFileError
			if file != nil || !errors.As(err, &faults) || len(faults.Faults) == 0 {
				t.Fatalf("%q: %v, %v", content, file, err)
			}
			for _, fault := range faults.Faults {
				if fault.Line < 0 || fault.Line > 1+strings.Count(string(content), "\n") || fault.Message == "" {
					t.Errorf("%q: fault %+v", content, fault)
				}
			}
			return
		}
		for _, name := range file.Names() {
			value, _ := file.Value(name)
			if !utf8.ValidString(value) || strings.Contains(value, "'") {
				continue
			}
			again, err := config.ParseEnvFile(".env", []byte(name+"='"+value+"'"))
			if err != nil {
				t.Fatalf("%q: %v", value, err)
			}
			if got, _ := again.Value(name); got != strings.ReplaceAll(value, "\r\n", "\n") {
				t.Errorf("%q is read back as %q", value, got)
			}
		}
	})
}
