package demo

// longText is what the model long answers.
const longText = `# The way of a request

A request enters at the **local address**, is checked, and leaves for the gateway in the protocol that the provider speaks.

## Steps

1. The key, the host and the size are checked.
2. The model's name is read: ` + "`model#provider`" + ` says where the request goes.
3. When both sides speak the same protocol, the bytes pass untouched.
4. Otherwise request, answer and stream are converted, one event at a time.

## What is kept

| Part       | Same protocol | Converted            |
| ---------- | ------------- | -------------------- |
| Text       | as it came    | the same             |
| Images     | as they came  | the same             |
| Tool calls | as they came  | same names, same ids |
| Thinking   | as it came    | shown, and marked    |

> Whatever cannot be carried over is reported. Nothing is lost in silence.

## An example

` + "```go" + `
package main

import "fmt"

func main() {
	for i := range 3 {
		fmt.Println("line", i)
	}
}
` + "```" + `

The loop prints three lines:

- line 0
- line 1
- line 2

## Long words and other scripts

Grüße aus Köln, 東京からこんにちは, привет из Казани. Symbols such as <, >, & and "quotes" stay what they are, and so does a
backslash \ in the middle of a line.

## A slower paragraph

The rest of this answer is filler, so that there is something to scroll. A gateway is a door with a memory: it knows who passed,
when, and how much was said. A proxy on the desk is a smaller door in front of it. It holds the key, so that a dozen tools need
not hold it, and it speaks their languages, so that they need not learn each other's. When a tool asks for a stream, words arrive
one by one; when it hangs up, the other side is told to stop. When something fails, the tool hears about it in its own words.

That is all. Thank you for reading to the end.
`
