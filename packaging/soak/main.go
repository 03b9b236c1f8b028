// Command soak puts the program under mixed load, for as long as it is told to: clients of
// all three protocols, whole answers and streams, passed through and converted, upstreams that
// fail in every way, clients that leave, settings that change. Every answer is compared
// with what was asked for. Once a minute it tells what the program needs: heap after a
// collection, memory as the system sees it, goroutines, open files.
//
// The program runs in a process of its own, without a window, but with what a window does:
// records are followed and bodies are kept and looked at.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	if os.Getenv(childVariable) != "" {
		if err := serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, "soak: the program:", err)
			os.Exit(1)
		}
		return
	}
	minutes := flag.Float64("minutes", 20, "how long")
	clients := flag.Int("clients", 12, "how many at a time")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	o := options{length: time.Duration(*minutes * float64(time.Minute)), clients: *clients, every: time.Minute, out: os.Stdout}
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		stop()
		os.Exit(1)
	}
}
