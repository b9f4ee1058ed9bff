// A chat server on goroutines and channels, and protocole.md.
//
//	go run server.go localhost:2222
//
// Numbers in comments are clauses of protocole.md. One goroutine, that of run, owns all clients, so all of them receive
// messages in the same order without any lock (5.2): the order of the calls of say. Two more goroutines for each
// client read and write its connection, and tell run by a channel.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/signal"
	"regexp"
	"strings"
	"syscall"
	"time"
	"unicode/utf8"
)

// 8.1
const (
	maxLine         = 8192
	maxUnterminated = 65536
	maxText         = 2000
	maxFailures     = 5
)

// 8.2
var (
	maxClients    = flag.Int("max-clients", 1000, "2.6")
	loginDeadline = flag.Float64("login-deadline", 120, "seconds (2.5)")
	pingAfter     = flag.Float64("ping-after", 60, "seconds (6.1)")
	pongWithin    = flag.Float64("pong-within", 3, "seconds (6.1)")
	maxStall      = flag.Float64("max-stall", 10, "seconds (6.5)")
	noPlain       = flag.Bool("no-plain", false, "refuse plain sessions (2.8)")
)

const (
	piece     = 4096    // The server disconnects a client that does not take so many bytes within maxStall (6.5),
	maxBehind = 4 << 20 // or is so many bytes behind.
	linger    = 0.9     // for how many seconds to read on after the last line (6.7)
)

type state int

const (
	fresh state = iota
	asked
	named
	plain
	left
)

// isText checks 1.5: 1 to 2,000 characters, no control characters but TAB.
func isText(text string) bool {
	for _, c := range text {
		if c != '\t' && (c < 0x20 || (c >= 0x7f && c <= 0x9f)) {
			return false
		}
	}
	return text != "" && utf8.RuneCountInString(text) <= maxText
}

var (
	letters = regexp.MustCompile(`^[A-Za-z0-9]{1,20}$`)
	guest   = regexp.MustCompile(`^(?i:guest)[0-9]+$`)
)

// isName checks 1.6 and 2.7: 1 to 20 letters and digits, and no guest's name.
func isName(name string) bool {
	return letters.MatchString(name) && !guest.MatchString(name)
}

// isNotChat finds bytes that no chat line has (2.4).
func isNotChat(line []byte) bool {
	for _, b := range line {
		if b <= 0x08 || b == 0x0b || b == 0x0c || (b >= 0x0e && b <= 0x1f) || b == 0x7f || b == 0xc0 || b == 0xc1 ||
			b >= 0xf5 {
			return true
		}
	}
	return false
}

func seconds(n float64) time.Duration {
	return time.Duration(n * float64(time.Second))
}

// client is the state of one connection. Only the goroutine of run touches it, except for conn and out.
type client struct {
	conn     net.Conn
	out      chan []byte // to the goroutine that writes
	state    state
	name     string
	failures int
	newline  string
	received []byte // the start of an incomplete line
	overlong int    // how many bytes of a line that is too long were dropped
	toSend   []byte
	writing  bool      // whether the goroutine that writes has something to write
	closing  bool      // whether the session is over, and the connection is closed when all is sent
	shut     time.Time // when the sending side was closed
	ended    bool      // whether the client has closed its sending side
	since    time.Time
	heard    time.Time
	pinged   bool
}

func newClient(conn net.Conn) *client {
	now := time.Now()
	return &client{conn: conn, out: make(chan []byte, 1), newline: "\r\n", since: now, heard: now}
}

func (c *client) joined() bool {
	return c.state == named || c.state == plain
}

func (c *client) send(line string) {
	c.toSend = append(append(c.toSend, line...), c.newline...)
}

// event is what the other goroutines tell the one of run.
type event struct {
	kind   kind
	client *client
	data   []byte
}

type kind int

const (
	accepted kind = iota
	received
	ended   // The client has closed its sending side.
	written // The connection has taken what was given to out.
	failed
)

type server struct {
	events  chan event
	clients []*client
	guests  int
}

// The loop.

func (s *server) run(listener net.Listener) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	tick := time.Tick(seconds(math.Min(1, math.Min(*loginDeadline, *pingAfter)/4)))
	go s.accept(listener)
	for {
		select {
		case e := <-s.events:
			s.handle(e)
		case <-tick:
		case <-stop:
			listener.Close()
			s.stop()
			return
		}
		s.turn()
	}
}

// turn runs after each event, and at least once a second.
func (s *server) turn() {
	for _, c := range append([]*client(nil), s.clients...) {
		s.lookAfter(c)
	}
	for _, c := range s.clients {
		s.write(c)
	}
}

func (s *server) handle(e event) {
	c := e.client
	switch e.kind {
	case accepted:
		s.clients = append(s.clients, c)
		if len(s.clients) > *maxClients { // 2.6
			c.send("BYE")
			s.end(c)
		}
	case received:
		if !c.closing { // 6.7: otherwise read and drop what the client still sends
			c.heard, c.pinged = time.Now(), false
			s.take(c, e.data)
		}
	case ended:
		c.ended = true
		s.end(c) // 1.7: drop the incomplete line in c.received
	case written:
		c.writing = false
	case failed:
		s.drop(c)
	}
}

// accept runs in a goroutine.
func (s *server) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		} else if err != nil { // For example, too many files are open.
			time.Sleep(100 * time.Millisecond)
			continue
		}
		c := newClient(conn)
		s.events <- event{kind: accepted, client: c}
		go s.read(c)
		go s.writeAll(c)
	}
}

// write gives the client's lines to writeAll, which takes them one portion after the other.
func (s *server) write(c *client) {
	if c.writing || !c.shut.IsZero() {
		return
	}
	if len(c.toSend) > 0 {
		c.out <- c.toSend
		c.toSend, c.writing = nil, true
	} else if c.closing {
		c.shut = time.Now()
		c.conn.(*net.TCPConn).CloseWrite()
	}
}

// writeAll runs in a goroutine for each client. It writes pieces, so that a client that stalls is noticed (6.5).
func (s *server) writeAll(c *client) {
	for data := range c.out {
		var err error
		for len(data) > 0 && err == nil {
			n := len(data)
			if n > piece {
				n = piece
			}
			c.conn.SetWriteDeadline(time.Now().Add(seconds(*maxStall)))
			n, err = c.conn.Write(data[:n])
			data = data[n:]
		}
		e := event{kind: written, client: c}
		if err != nil {
			e.kind = failed
		}
		s.events <- e
	}
}

// read runs in a goroutine for each client.
func (s *server) read(c *client) {
	for {
		data := make([]byte, 2000)
		n, err := c.conn.Read(data)
		if n > 0 {
			s.events <- event{kind: received, client: c, data: data[:n]}
		}
		if err != nil {
			e := event{kind: failed, client: c}
			if err == io.EOF {
				e.kind = ended
			}
			s.events <- e
			return
		}
	}
}

// lookAfter checks the deadlines of 2.5, 6.1, 6.5 and 6.7.
func (s *server) lookAfter(c *client) {
	now := time.Now()
	isOver := !c.shut.IsZero() && (c.ended || now.After(c.shut.Add(seconds(linger))))
	switch {
	case isOver || len(c.toSend) > maxBehind:
		s.drop(c)
	case c.closing:
	case !c.joined():
		if now.After(c.since.Add(seconds(*loginDeadline))) {
			s.drop(c)
		}
	case c.pinged && now.After(c.heard.Add(seconds(*pingAfter+*pongWithin))):
		s.drop(c)
	case c.state == named && !c.pinged && now.After(c.heard.Add(seconds(*pingAfter))):
		c.send("PING")
		c.pinged = true
	}
}

// Section 1: lines.

// take splits received bytes into lines (1.1). It keeps an incomplete line (7.5).
func (s *server) take(c *client, data []byte) {
	c.received = append(c.received, data...)
	for !c.closing {
		line, rest, found := bytes.Cut(c.received, []byte("\n"))
		if c.state == fresh && isNotChat(line) {
			s.refuse(c)
			return
		}
		isTooLong := c.overlong > 0 || len(line) >= maxLine
		if isTooLong {
			s.tooLong(c, len(line))
		}
		if !found {
			if isTooLong {
				c.received = nil
			}
			return
		}
		c.received = rest
		if isTooLong {
			c.overlong = 0
		} else {
			s.framed(c, line)
		}
	}
}

// tooLong answers once, drops the line, and disconnects a client whose line never ends (1.3, 1.4).
func (s *server) tooLong(c *client, length int) {
	if c.overlong == 0 {
		s.refuse(c)
	}
	c.overlong += length
	if c.overlong >= maxUnterminated {
		s.end(c)
	}
}

func (s *server) framed(c *client, line []byte) {
	text, ok := decode(bytes.TrimSuffix(line, []byte("\r")))
	if c.state == fresh && ok && !bytes.HasSuffix(line, []byte("\r")) {
		c.newline = "\n" // 1.2: but a first line that is not text is answered with CRLF
	}
	if ok {
		s.line(c, text)
	} else {
		s.refuse(c)
	}
}

// decode returns the text of a line, and whether it is one (1.1, 1.3).
func decode(line []byte) (string, bool) {
	return string(line), utf8.Valid(line) && !bytes.ContainsRune(line, '\r')
}

// refuse sends BAD REQ. Before login, it also closes (2.4, 3.4).
func (s *server) refuse(c *client) {
	c.send("BAD REQ")
	if !c.joined() {
		s.end(c)
	}
}

func (s *server) line(c *client, line string) {
	switch c.state {
	case fresh:
		s.first(c, line)
	case asked:
		if line == "NAME" || strings.HasPrefix(line, "NAME ") {
			s.login(c, strings.TrimPrefix(line[4:], " "))
		} else {
			s.refuse(c)
		}
	case named:
		s.request(c, line)
	case plain:
		s.plain(c, line)
	}
}

// Section 2: the first line decides.

func (s *server) first(c *client, line string) {
	words := strings.Split(line, " ")
	if words[0] == "PROT" {
		s.prot(c, line)
	} else if (len(words) >= 3 && strings.HasPrefix(words[len(words)-1], "HTTP/")) || (line != "" && !isText(line)) {
		s.refuse(c)
	} else if *noPlain { // 2.8
		c.send("BAD PROT")
		s.end(c)
	} else {
		s.guests++
		s.join(c, fmt.Sprintf("guest%d", s.guests), plain)
		s.plain(c, line)
	}
}

func (s *server) prot(c *client, line string) {
	_, fields, _ := strings.Cut(line, " ")
	version, rest, _ := strings.Cut(fields, " ")
	switch {
	case version != "" && version != "0.1":
		c.send("BAD PROT")
		s.end(c)
	case version != "" && rest == "CONNECT NEW":
		c.state = asked
		c.send("NAME REQ")
	case version != "" && (rest == "CONNECT USER" || strings.HasPrefix(rest, "CONNECT USER ")):
		c.state = asked
		s.login(c, strings.TrimPrefix(rest[12:], " "))
	default:
		s.refuse(c)
	}
}

// Section 3: named sessions.

func (s *server) login(c *client, name string) {
	if isName(name) && !s.isTaken(name) {
		c.send("NAME OK")
		c.send("WELCOME")
		s.join(c, name, named)
		return
	}
	c.send("NAME FAILURE")
	c.failures++
	if c.failures >= maxFailures {
		s.end(c)
	} else {
		c.send("NAME REQ")
	}
}

func (s *server) isTaken(name string) bool {
	for _, other := range s.clients {
		if other.joined() && strings.EqualFold(other.name, name) {
			return true
		}
	}
	return false
}

func (s *server) request(c *client, line string) {
	text := strings.TrimPrefix(line, "MSG ")
	switch {
	case text != line && isText(text):
		s.message(c, text)
	case line == "REQ CLIENTS":
		s.roster(c)
	case line == "PING":
		c.send("PONG")
	case line == "BYE":
		s.bye(c)
	case line != "PONG":
		s.refuse(c)
	}
}

// roster sends the roster in as many lines as necessary (3.6).
func (s *server) roster(c *client) {
	var names []string
	for _, other := range s.clients {
		if other.joined() {
			names = append(names, other.name)
		}
	}
	const namesPerLine = 380 // 380 names of 20 characters and their spaces fit into one line.
	for start := 0; start < len(names); start += namesPerLine {
		end := start + namesPerLine
		if end > len(names) {
			end = len(names)
		}
		c.send(fmt.Sprintf("LIST CLIENTS %d %s", len(names), strings.Join(names[start:end], " ")))
	}
}

// Section 4: plain sessions.

func (s *server) plain(c *client, line string) {
	switch {
	case line == "BYE":
		s.bye(c)
	case isText(line):
		s.message(c, line)
	case line != "":
		s.refuse(c)
	}
}

// Section 5: lines to other clients.

func (s *server) message(c *client, text string) {
	c.send("OK")
	s.say("FROM "+c.name+" MSG "+text, c)
}

func (s *server) join(c *client, name string, as state) {
	s.say("JOIN "+name, c)
	c.name, c.state = name, as
}

// say sends the line to all clients except by.
func (s *server) say(line string, by *client) {
	for _, other := range s.clients {
		if other != by && other.joined() {
			other.send(line)
		}
	}
}

// Section 6: the end.

func (s *server) bye(c *client) {
	c.send("BYE")
	s.end(c)
}

// end ends the session. Pending lines are still sent (6.4).
func (s *server) end(c *client) {
	if c.joined() {
		s.say("LOGOUT "+c.name, c)
	}
	c.state, c.received, c.closing = left, nil, true
}

// drop closes the connection. That ends the client's goroutines.
func (s *server) drop(c *client) {
	for i, other := range s.clients {
		if other == c {
			s.clients = append(s.clients[:i], s.clients[i+1:]...)
			s.end(c)
			c.conn.Close()
			close(c.out)
			return
		}
	}
}

// stop sends BYE to all clients, and closes (6.3).
func (s *server) stop() {
	for _, c := range s.clients {
		if c.joined() {
			c.send("BYE")
		}
		c.state, c.closing = left, true
		s.write(c)
	}
	for deadline := time.After(time.Second); len(s.clients) > 0; {
		select {
		case e := <-s.events:
			s.handle(e)
			s.turn()
		case <-deadline:
			return
		}
	}
}

func main() {
	flag.Parse()
	address := "localhost:2222" // HOST:PORT; port 0: any free port
	if flag.NArg() > 0 {
		address = flag.Arg(0)
		flag.CommandLine.Parse(flag.Args()[1:]) // Flags may follow.
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("listening on", listener.Addr())
	s := &server{events: make(chan event)}
	s.run(listener)
}
