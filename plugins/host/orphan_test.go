package host_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/unsilo/unsilo/core"
	"github.com/unsilo/unsilo/plugins/host"
)

// alive reports whether a process exists and is no zombie.
func alive(pid any) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%v/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func needProc(t *testing.T) {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("processes are looked up in /proc")
	}
}

// gone waits for a process to end.
func gone(t *testing.T, what string, pid any, limit time.Duration) {
	t.Helper()
	start := time.Now()
	for alive(pid) {
		if time.Since(start) > limit {
			t.Errorf("%s, process %v, is alive after %s", what, pid, limit)
			return
		}
		time.Sleep(20 * time.Millisecond)
	}
}

func TestChildrenOfThePluginGoWithIt(t *testing.T) {
	needProc(t)
	h, _ := newHost(t, nil)
	file := filepath.Join(t.TempDir(), "child")
	src := openNumbers(t, h, map[string]any{"rows": int64(1), "act": "children:" + file})
	if _, _, err := readAll(t.Context(), src, nil); err != nil {
		t.Fatal(err)
	}
	child := readPID(t, file)
	if !alive(child) {
		t.Fatal("the child is not alive before Close")
	}
	start := time.Now()
	if err := src.Close(); err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 4*time.Second {
		t.Errorf("Close took %s: the child holds the pipes", took)
	}
	gone(t, "the child", child, time.Second)
}

// TestDeafConnectorEndsWithClose: a connector that ignores cancellation is left behind
// at once by Read, and killed by Close.
func TestDeafConnectorEndsWithClose(t *testing.T) {
	h, _ := newHost(t, func(o *host.Options) { o.CloseGrace = 3 * time.Second })
	file := filepath.Join(t.TempDir(), "pid")
	src := openNumbers(t, h, map[string]any{"rows": int64(1), "act": "pid:" + file})
	if _, _, err := readAll(t.Context(), src, nil); err != nil {
		t.Fatal(err)
	}
	_ = src.Close()
	gone(t, "the plugin", readPID(t, file), time.Second)

	deaf := openNumbers(t, h, map[string]any{"rows": int64(1), "act": "deaf"})
	done := make(chan error, 1)
	go func() { _, _, err := readAll(t.Context(), deaf, nil); done <- err }()
	time.Sleep(200 * time.Millisecond)
	start := time.Now()
	_ = deaf.Close()
	if took := time.Since(start); took > 6*time.Second {
		t.Errorf("Close took %s", took)
	}
	if err := <-done; err == nil {
		t.Error("the read ended without an error")
	}
}

// TestPluginsDieWithTheHost kills a host with SIGKILL, and so without any word to its plugins.
func TestPluginsDieWithTheHost(t *testing.T) {
	needProc(t)
	dir := t.TempDir()
	for name, act := range map[string]string{"reading": "children", "stopped": "stop"} {
		t.Run(name, func(t *testing.T) {
			child := filepath.Join(dir, name+".child")
			hostProcess := exec.Command(os.Args[0], "-test.run=^$")
			hostProcess.Env = append(os.Environ(), "UNSILO_TEST_HOST="+pluginDir, "UNSILO_TEST_ACT="+act+":"+child)
			out, err := hostProcess.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := hostProcess.Start(); err != nil {
				t.Fatal(err)
			}
			line, err := bufio.NewReader(out).ReadString('\n')
			plugin := strings.TrimSpace(line)
			if err != nil || !alive(plugin) {
				t.Fatalf("no plugin runs: %q, %v", line, err)
			}
			if act == "children" {
				readPID(t, child)
			} else {
				time.Sleep(300 * time.Millisecond)
			}
			if err := hostProcess.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = hostProcess.Wait()
			gone(t, "the plugin", plugin, 5*time.Second)
			if act == "children" {
				gone(t, "its child", readPID(t, child), 5*time.Second)
			}
		})
	}
}

// hostForKilling is the process that TestPluginsDieWithTheHost kills. It prints the id of
// its plugin and reads without end.
func hostForKilling(dir, act string) int {
	ctx := context.Background()
	h := host.New(host.Options{Dirs: []string{dir}})
	c, err := h.Connector(ctx, "chaos", "numbers")
	if err == nil {
		var src core.Source
		values := map[string]any{"rows": int64(1) << 40, "batch": int64(10), "act": act, "at": int64(30)}
		if src, err = c.Open(ctx, core.Config{Values: values}); err == nil {
			all := children()
			fmt.Println(strings.Fields(all[0])[0])
			_, _, err = readAll(ctx, src, nil)
		}
	}
	fmt.Fprintln(os.Stderr, "the host to be killed:", err)
	return 1
}
