// A chat client on goroutines and channels: the keyboard, the server, and protocole.md.
//
//	go run client.go localhost:2222 --name alice
//
// Numbers in comments are clauses of protocole.md. Each typed line is sent as a message. The end of the input sends
// BYE.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
)

const (
	maxLine    = 8192 // 1.3
	maxWaiting = 16   // how many messages may have no reply yet before the keyboard has to wait
)

// escaped escapes control characters and those that change the direction of text, so that no text from the network
// controls the terminal (7.3).
func escaped(text string) string {
	var shown strings.Builder
	for _, c := range text {
		if (c < 0x20 && c != '\t') || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
			(c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) {
			fmt.Fprintf(&shown, "\\u{%x}", c)
		} else {
			shown.WriteRune(c)
		}
	}
	return shown.String()
}

func show(text string) {
	fmt.Println(escaped(text))
}

// lines splits a stream of bytes into lines (7.5), with bounded memory (7.7).
type lines struct {
	bytes    []byte
	dropping bool // whether these bytes go on a line that is too long
	dropped  int  // how many lines were too long
}

func (l *lines) add(data []byte) {
	l.bytes = append(l.bytes, data...)
}

// next returns the next line, and whether there is one. A line that is too long comes out empty.
func (l *lines) next() (string, bool) {
	line, rest, found := bytes.Cut(l.bytes, []byte("\n"))
	if len(line) >= maxLine && !l.dropping {
		l.dropping = true
		l.dropped++
	}
	isWhole := !l.dropping
	if !found {
		if l.dropping {
			l.bytes = nil
		}
		return "", false
	}
	l.bytes, l.dropping = rest, false
	if !isWhole {
		return "", true
	}
	return string(bytes.TrimSuffix(line, []byte("\r"))), true
}

type client struct {
	server   net.Conn
	name     string
	joined   bool // A guest joins with its first line (2.3).
	isGuest  bool
	asked    bool // whether the server waits for another name
	waiting  int  // how many messages have no reply yet (7.6)
	refused  int
	typing   bool
	left     bool
	network  lines
	keyboard lines
}

// send fails only when the connection is gone, and then the next read says so.
func (c *client) send(line string) {
	io.WriteString(c.server, line+"\r\n")
}

// run returns the exit code.
func (c *client) run() int {
	if c.isGuest {
		c.send("")
	} else {
		c.send("PROT 0.1 CONNECT USER " + c.name)
	}
	network, keyboard := make(chan []byte), make(chan []byte)
	go read(c.server, network)
	go read(os.Stdin, keyboard)
	for {
		c.write()
		if c.asked && !c.typing && len(c.keyboard.bytes) == 0 {
			return c.gone()
		}
		var typed chan []byte // Nothing is ever received from a nil channel.
		if c.canSay() && c.typing {
			typed = keyboard
		}
		select {
		case data, ok := <-network:
			if !ok {
				return c.gone() // 1.7: drop the incomplete line in c.network
			}
			c.network.add(data)
			for line, ok := c.network.next(); ok; line, ok = c.network.next() {
				if c.hear(line) == "end" {
					return c.gone()
				}
			}
		case data, ok := <-typed:
			c.typing = ok
			if !ok && len(c.keyboard.bytes) > 0 {
				data = []byte("\n")
			}
			c.keyboard.add(data)
		}
	}
}

// read runs in a goroutine. It closes the channel at the end of the stream.
func read(from io.Reader, to chan<- []byte) {
	defer close(to)
	for {
		data := make([]byte, 2000)
		n, err := from.Read(data)
		if n > 0 {
			to <- data[:n]
		}
		if err != nil {
			return
		}
	}
}

// write sends what was typed, as far as the server keeps up.
func (c *client) write() {
	for c.canSay() {
		line, ok := c.keyboard.next()
		if !ok {
			break
		}
		c.say(line)
	}
	if !c.typing && len(c.keyboard.bytes) == 0 && c.joined && c.waiting == 0 && !c.left {
		c.left = true
		c.send("BYE") // 3.8, 4.3
	}
}

func (c *client) canSay() bool {
	return (c.joined || c.asked) && c.waiting < maxWaiting
}

func (c *client) say(line string) {
	if c.asked {
		c.asked, c.name = false, line
		c.send("NAME " + line)
	} else if line != "" {
		c.waiting++
		if c.isGuest {
			c.send(line)
		} else {
			c.send("MSG " + line)
		}
	}
}

func (c *client) hear(line string) string {
	verb, rest, _ := strings.Cut(line, " ")
	name, said, _ := strings.Cut(rest, " ")
	text := strings.TrimPrefix(said, "MSG ")
	switch {
	case verb == "FROM" && text != said:
		show("<" + name + "> " + text)
	case verb == "JOIN" && rest != "" && said == "":
		show("* " + name + " is here")
	case verb == "LOGOUT" && rest != "" && said == "":
		show("* " + name + " has left")
	case verb == "NOTICE" && rest != "": // 7.8
		show("* notice: " + rest)
	case line == "PING":
		c.send("PONG") // 7.4
	case line == "WELCOME":
		c.joined = true
	case line == "NAME FAILURE" && !c.joined:
		show("! the name " + c.name + " cannot be had")
	case line == "NAME REQ" && !c.joined: // 3.3: a person may type another name, a script ends
		if !isTerminal(os.Stdin) {
			return "end"
		}
		show("! type another")
		c.asked = true
	case (line == "OK" || line == "BAD REQ") && c.joined:
		if c.waiting > 0 { // 7.2: ignore a reply without a request
			c.waiting--
			if line == "BAD REQ" {
				c.refused++
			}
		}
		if line == "BAD REQ" {
			show("! refused")
		}
	case line == "BYE" || (!c.joined && (line == "BAD PROT" || line == "BAD REQ")):
		show("! " + line)
		return "end" // 6.7
	case line != "" && line != "NAME OK" && line != "PONG":
		show("? " + line) // 7.1
	}
	return ""
}

func isTerminal(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// gone says what is not known: a message without a reply may have been delivered, so it is not sent again (7.6).
func (c *client) gone() int {
	if c.waiting > 0 {
		show(fmt.Sprint("! the end; messages without an answer: ", c.waiting))
	}
	if c.keyboard.dropped > 0 {
		show(fmt.Sprint("! too long, not sent: ", c.keyboard.dropped))
	}
	if c.left && c.waiting+c.refused+c.keyboard.dropped == 0 {
		return 0
	}
	return 1
}

func main() {
	name := flag.String("name", "", "without it you are a guest")
	flag.Parse()
	address := "localhost:2222" // HOST:PORT
	if flag.NArg() > 0 {
		address = flag.Arg(0)
		flag.CommandLine.Parse(flag.Args()[1:]) // Flags may follow.
	}
	server, err := net.Dial("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	c := &client{server: server, name: *name, isGuest: *name == "", joined: *name == "", typing: true}
	code := c.run()
	server.Close()
	os.Exit(code)
}
