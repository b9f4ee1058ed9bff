// A chat server in one thread: `poll` over all clients, and protocole.md.
//
//     cc -std=c11 -O2 -o server server.c && ./server localhost:2222
//
// Numbers in comments are clauses of protocole.md. The server has one thread, so all clients receive messages in the
// same order without any lock (5.2): the order of the calls of `say`.
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MAX_LINE = 8192, MAX_UNTERMINATED = 65536, MAX_TEXT = 2000, MAX_NAME = 20, MAX_FAILURES = 5 }; // 8.1
// 6.5: the server disconnects a client that does not take PIECE bytes within `max_stall`, or is MAX_BEHIND bytes
// behind.
enum { PIECE = 4096, MAX_BEHIND = 4 << 20 };
enum { MAX_SOCKETS = 1010, READ = 2000 };
static const double LINGER = 0.9; // for how many seconds to read on after the last line (6.7)

// 8.2
static struct settings {
    double max_clients, login_deadline, ping_after, pong_within, max_stall;
    bool no_plain;
} settings = {.max_clients = 1000, .login_deadline = 120, .ping_after = 60, .pong_within = 3, .max_stall = 10};

enum state { NEW, ASKED, NAMED, PLAIN, LEFT };

// Bytes of a line. They may hold a NUL, so they are no C string.
struct text {
    const char *at;
    size_t length;
};

static bool is(struct text text, const char *other) {
    return text.length == strlen(other) && memcmp(text.at, other, text.length) == 0;
}

static bool starts_with(struct text text, const char *start) {
    return text.length >= strlen(start) && memcmp(text.at, start, strlen(start)) == 0;
}

static struct text skip(struct text text, size_t bytes) {
    size_t skipped = bytes < text.length ? bytes : text.length;
    return (struct text){text.at + skipped, text.length - skipped};
}

// What stands before the first SP.
static struct text word(struct text text) {
    const char *space = memchr(text.at, ' ', text.length);
    return (struct text){text.at, space ? (size_t)(space - text.at) : text.length};
}

// 1.3: how many bytes the first character of the text has; 0 if it is not UTF-8.
static size_t character(struct text text, unsigned *value) {
    const unsigned char *at = (const unsigned char *)text.at;
    *value = at[0];
    if (at[0] < 0x80)
        return 1;
    size_t length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (at[0] < 0xc2 || at[0] > 0xf4 || length > text.length)
        return 0;
    *value &= 0x7fu >> length;
    for (size_t i = 1; i < length; i++) {
        if ((at[i] & 0xc0) != 0x80)
            return 0;
        *value = *value << 6 | (at[i] & 0x3f);
    }
    bool is_overlong = (length == 3 && *value < 0x800) || (length == 4 && *value < 0x10000);
    bool is_surrogate = *value >= 0xd800 && *value <= 0xdfff;
    return is_overlong || is_surrogate || *value > 0x10ffff ? 0 : length;
}

// 1.5: 1 to 2,000 characters, no control characters but TAB.
static bool is_text(struct text text) {
    size_t characters = 0;
    unsigned value;
    for (size_t length; text.length > 0; text = skip(text, length), characters++) {
        length = character(text, &value);
        if (length == 0 || (value < 0x20 && value != '\t') || (value >= 0x7f && value <= 0x9f))
            return false;
    }
    return characters > 0 && characters <= MAX_TEXT;
}

// 1.6, 2.7: 1 to 20 letters and digits, and no guest's name.
static bool is_name(struct text name) {
    size_t digits = 0; // at the end
    for (size_t i = 0; i < name.length; i++) {
        char c = name.at[i];
        bool is_digit = c >= '0' && c <= '9';
        if (!is_digit && !(c >= 'A' && c <= 'Z') && !(c >= 'a' && c <= 'z'))
            return false;
        digits = is_digit ? digits + 1 : 0;
    }
    bool is_guest = digits > 0 && name.length == 5 + digits && strncasecmp(name.at, "guest", 5) == 0;
    return name.length >= 1 && name.length <= MAX_NAME && !is_guest;
}

// 2.4: whether the line has bytes that no chat line has.
static bool is_not_chat(struct text line) {
    for (size_t i = 0; i < line.length; i++) {
        unsigned char b = (unsigned char)line.at[i];
        if (b <= 0x08 || b == 0x0b || b == 0x0c || (b >= 0x0e && b <= 0x1f) || b == 0x7f || b == 0xc0 || b == 0xc1 ||
            b >= 0xf5)
            return true;
    }
    return false;
}

// The time in seconds.
static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

// The state of one connection.
struct client {
    int socket; // -1 if the connection is closed
    enum state state;
    char name[MAX_NAME + 1];
    int failures;
    const char *newline;
    char received[MAX_LINE + READ]; // the start of an incomplete line
    size_t n_received;
    size_t overlong; // how many bytes of a line that is too long were dropped
    char *to_send;
    size_t n_sent, n_to_send, capacity; // `to_send` begins with what is sent already
    size_t taken;                       // how many bytes the client has taken since `stalled`
    double stalled;
    bool closing; // whether the session is over, and the connection is closed when all is sent
    double shut;  // when the sending side was closed, or 0
    bool ended;   // whether the client has closed its sending side
    double since, heard;
    bool pinged;
};

static struct client *clients[MAX_SOCKETS];
static size_t n_clients;
static unsigned guests;
static volatile sig_atomic_t stopping;

static struct client *client_new(int socket) {
    int yes = 1;
    fcntl(socket, F_SETFL, fcntl(socket, F_GETFL) | O_NONBLOCK);
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    struct client *client = calloc(1, sizeof *client);
    if (client == NULL)
        die("calloc");
    client->socket = socket;
    client->newline = "\r\n";
    client->since = client->heard = client->stalled = now();
    return client;
}

static bool joined(const struct client *client) {
    return client->state == NAMED || client->state == PLAIN;
}

static size_t behind(const struct client *client) {
    return client->n_to_send - client->n_sent;
}

// Takes a format, as printf does. The arguments hold no NUL: a text and a name have none (1.5, 1.6).
__attribute__((format(printf, 2, 3))) static void client_send(struct client *client, const char *format, ...) {
    char line[MAX_LINE];
    va_list arguments;
    va_start(arguments, format);
    size_t length = (size_t)vsnprintf(line, sizeof line - 2, format, arguments);
    va_end(arguments);
    strcpy(line + length, client->newline);
    length += strlen(client->newline);
    if (behind(client) == 0) {
        client->stalled = now();
        client->taken = 0;
    }
    if (client->n_to_send + length > client->capacity) {
        if (client->n_sent > 0)
            memmove(client->to_send, client->to_send + client->n_sent, behind(client));
        client->n_to_send = behind(client);
        client->n_sent = 0;
        client->capacity = 2 * (client->n_to_send + length);
        client->to_send = realloc(client->to_send, client->capacity);
        if (client->to_send == NULL)
            die("realloc");
    }
    memcpy(client->to_send + client->n_to_send, line, length);
    client->n_to_send += length;
}

// The order of what follows.
static void turn(int listener, int milliseconds);
static void client_accept(int listener);
static void client_write(struct client *client);
static void client_read(struct client *client);
static void look_after(struct client *client);
static void take(struct client *client, const char *data, size_t length);
static void too_long(struct client *client, size_t length);
static void framed(struct client *client, struct text line);
static bool decode(struct text line);
static void refuse(struct client *client);
static void on_line(struct client *client, struct text line);
static void first(struct client *client, struct text line);
static void prot(struct client *client, struct text line);
static void login(struct client *client, struct text name);
static bool is_taken(const char *name);
static void request(struct client *client, struct text line);
static void roster(struct client *client);
static void plain(struct client *client, struct text line);
static void message(struct client *client, struct text text);
static void join(struct client *client, const char *name, enum state state);
static void say(const char *line, const struct client *by);
static void bye(struct client *client);
static void end(struct client *client);
static void drop(struct client *client);
static void stop(void);

// The loop.

static void run(int listener) {
    double shortest = settings.login_deadline < settings.ping_after ? settings.login_deadline : settings.ping_after;
    while (!stopping)
        turn(listener, shortest < 4 ? (int)(shortest * 250) : 1000);
    close(listener);
    stop();
}

static void turn(int listener, int milliseconds) {
    struct pollfd polled[MAX_SOCKETS + 1];
    for (size_t i = 0; i < n_clients; i++) {
        short events = (short)((clients[i]->ended ? 0 : POLLIN) | (behind(clients[i]) > 0 ? POLLOUT : 0));
        polled[i] = (struct pollfd){.fd = clients[i]->socket, .events = events};
    }
    size_t n_polled = n_clients;
    polled[n_polled] = (struct pollfd){.fd = n_clients < MAX_SOCKETS ? listener : -1, .events = POLLIN};
    if (poll(polled, n_polled + 1, milliseconds) < 0) {
        if (errno != EINTR)
            die("poll");
        return;
    }
    for (size_t i = 0; i < n_polled; i++) {
        if (polled[i].revents & POLLOUT)
            client_write(clients[i]);
    }
    if (polled[n_polled].revents & POLLIN)
        client_accept(listener);
    for (size_t i = 0; i < n_polled; i++) {
        if (polled[i].revents & (POLLIN | POLLHUP | POLLERR))
            client_read(clients[i]);
    }
    for (size_t i = 0; i < n_clients; i++)
        look_after(clients[i]);
    for (size_t i = 0; i < n_clients; i++)
        client_write(clients[i]);
    for (size_t i = n_clients; i-- > 0;) {
        if (clients[i]->socket < 0) {
            free(clients[i]->to_send);
            free(clients[i]);
            memmove(clients + i, clients + i + 1, (--n_clients - i) * sizeof *clients);
        }
    }
}

static void client_accept(int listener) {
    int socket = accept(listener, NULL, NULL);
    if (socket < 0)
        return; // The client has already gone.
    struct client *client = clients[n_clients++] = client_new(socket);
    if (n_clients > (size_t)settings.max_clients) { // 2.6
        client_send(client, "BYE");
        end(client);
    }
}

static void client_write(struct client *client) {
    if (client->socket < 0 || client->shut > 0)
        return;
    if (behind(client) > 0) {
        ssize_t sent = send(client->socket, client->to_send + client->n_sent, behind(client), 0);
        if (sent < 0) {
            if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
                drop(client);
            return;
        }
        client->n_sent += (size_t)sent;
        client->taken += (size_t)sent;
        if (client->taken >= PIECE) {
            client->taken = 0;
            client->stalled = now();
        }
    }
    if (behind(client) == 0)
        client->n_sent = client->n_to_send = 0;
    if (client->closing && behind(client) == 0) {
        client->shut = now();
        shutdown(client->socket, SHUT_WR);
    }
}

static void client_read(struct client *client) {
    if (client->socket < 0)
        return;
    char data[READ];
    ssize_t length = recv(client->socket, data, sizeof data, 0);
    if (length < 0) {
        if (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR)
            drop(client);
        return;
    }
    if (length == 0) {
        client->ended = true;
        end(client); // 1.7: drop the incomplete line in client->received
    } else if (!client->closing) { // 6.7: otherwise read and drop what the client still sends
        client->heard = now();
        client->pinged = false;
        take(client, data, (size_t)length);
    }
}

// Checks the deadlines of 2.5, 6.1, 6.5 and 6.7.
static void look_after(struct client *client) {
    double time = now();
    if (client->socket < 0)
        return;
    bool stalls = behind(client) > 0 && time > client->stalled + settings.max_stall;
    bool is_over = client->shut > 0 && (client->ended || time > client->shut + LINGER);
    if (stalls || is_over || behind(client) > MAX_BEHIND) {
        drop(client);
    } else if (client->closing) {
        return;
    } else if (!joined(client)) {
        if (time > client->since + settings.login_deadline)
            drop(client);
    } else if (client->pinged && time > client->heard + settings.ping_after + settings.pong_within) {
        drop(client);
    } else if (client->state == NAMED && !client->pinged && time > client->heard + settings.ping_after) {
        client_send(client, "PING");
        client->pinged = true;
    }
}

// Section 1: lines.

// Splits received bytes into lines (1.1). Keeps an incomplete line (7.5).
static void take(struct client *client, const char *data, size_t length) {
    memcpy(client->received + client->n_received, data, length);
    struct text rest = {client->received, client->n_received + length};
    while (!client->closing) {
        const char *lf = memchr(rest.at, '\n', rest.length);
        struct text line = {rest.at, lf ? (size_t)(lf - rest.at) : rest.length};
        if (client->state == NEW && is_not_chat(line)) {
            refuse(client);
            return;
        }
        bool is_too_long = client->overlong > 0 || line.length >= MAX_LINE;
        if (is_too_long)
            too_long(client, line.length);
        if (lf == NULL) {
            client->n_received = is_too_long ? 0 : rest.length;
            memmove(client->received, rest.at, client->n_received);
            return;
        }
        rest = skip(rest, line.length + 1);
        if (is_too_long)
            client->overlong = 0;
        else
            framed(client, line);
    }
}

// 1.3, 1.4: answers once, drops the line, and disconnects a client whose line never ends.
static void too_long(struct client *client, size_t length) {
    if (client->overlong == 0)
        refuse(client);
    client->overlong += length;
    if (client->overlong >= MAX_UNTERMINATED)
        end(client);
}

static void framed(struct client *client, struct text line) {
    bool has_cr = line.length > 0 && line.at[line.length - 1] == '\r';
    line.length -= has_cr;
    bool is_decoded = decode(line);
    if (client->state == NEW && is_decoded && !has_cr)
        client->newline = "\n"; // 1.2: but a first line that is not text is answered with CRLF
    if (is_decoded)
        on_line(client, line);
    else
        refuse(client);
}

// 1.1, 1.3: whether the line is UTF-8 and has no CR.
static bool decode(struct text line) {
    unsigned value;
    for (size_t length; line.length > 0; line = skip(line, length)) {
        length = character(line, &value);
        if (length == 0 || value == '\r')
            return false;
    }
    return true;
}

// Sends BAD REQ. Before login, also closes (2.4, 3.4).
static void refuse(struct client *client) {
    client_send(client, "BAD REQ");
    if (!joined(client))
        end(client);
}

static void on_line(struct client *client, struct text line) {
    if (client->state == NEW)
        first(client, line);
    else if (client->state == NAMED)
        request(client, line);
    else if (client->state == PLAIN)
        plain(client, line);
    else if (is(line, "NAME") || starts_with(line, "NAME "))
        login(client, skip(line, 5));
    else
        refuse(client);
}

// Section 2: the first line decides.

static void first(struct client *client, struct text line) {
    size_t last = line.length; // where the last word begins
    while (last > 0 && line.at[last - 1] != ' ')
        last--;
    bool is_http = last > 1 && memchr(line.at, ' ', last - 1) != NULL && starts_with(skip(line, last), "HTTP/");
    if (is(line, "PROT") || starts_with(line, "PROT ")) {
        prot(client, line);
    } else if (is_http || (line.length > 0 && !is_text(line))) {
        refuse(client);
    } else if (settings.no_plain) { // 2.8
        client_send(client, "BAD PROT");
        end(client);
    } else {
        char name[MAX_NAME + 1];
        snprintf(name, sizeof name, "guest%u", ++guests);
        join(client, name, PLAIN);
        plain(client, line);
    }
}

static void prot(struct client *client, struct text line) {
    struct text version = word(skip(line, 5)), rest = skip(line, 5 + version.length + 1);
    if (version.length > 0 && !is(version, "0.1")) {
        client_send(client, "BAD PROT");
        end(client);
    } else if (version.length > 0 && is(rest, "CONNECT NEW")) {
        client->state = ASKED;
        client_send(client, "NAME REQ");
    } else if (version.length > 0 && (is(rest, "CONNECT USER") || starts_with(rest, "CONNECT USER "))) {
        client->state = ASKED;
        login(client, skip(rest, 13));
    } else {
        refuse(client);
    }
}

// Section 3: named sessions.

static void login(struct client *client, struct text text) {
    if (is_name(text)) {
        char name[MAX_NAME + 1] = "";
        memcpy(name, text.at, text.length);
        if (!is_taken(name)) {
            client_send(client, "NAME OK");
            client_send(client, "WELCOME");
            join(client, name, NAMED);
            return;
        }
    }
    client_send(client, "NAME FAILURE");
    if (++client->failures >= MAX_FAILURES)
        end(client);
    else
        client_send(client, "NAME REQ");
}

static bool is_taken(const char *name) {
    for (size_t i = 0; i < n_clients; i++) {
        if (joined(clients[i]) && strcasecmp(clients[i]->name, name) == 0)
            return true;
    }
    return false;
}

static void request(struct client *client, struct text line) {
    if (starts_with(line, "MSG ") && is_text(skip(line, 4)))
        message(client, skip(line, 4));
    else if (is(line, "REQ CLIENTS"))
        roster(client);
    else if (is(line, "PING"))
        client_send(client, "PONG");
    else if (is(line, "BYE"))
        bye(client);
    else if (!is(line, "PONG"))
        refuse(client);
}

// 3.6: sends the roster in as many lines as necessary.
static void roster(struct client *client) {
    size_t n_joined = 0, length = 0;
    for (size_t i = 0; i < n_clients; i++)
        n_joined += joined(clients[i]);
    char names[MAX_LINE - 100]; // Leaves room for `LIST CLIENTS`, the number and the terminator.
    for (size_t i = 0; i < n_clients; i++) {
        if (joined(clients[i]))
            length += (size_t)sprintf(names + length, " %s", clients[i]->name);
        bool is_full = length + 1 + MAX_NAME >= sizeof names;
        if (length > 0 && (is_full || i + 1 == n_clients)) {
            client_send(client, "LIST CLIENTS %zu%s", n_joined, names);
            length = 0;
        }
    }
}

// Section 4: plain sessions.

static void plain(struct client *client, struct text line) {
    if (is(line, "BYE"))
        bye(client);
    else if (is_text(line))
        message(client, line);
    else if (line.length > 0)
        refuse(client);
}

// Section 5: lines to other clients.

static void message(struct client *client, struct text text) {
    char line[MAX_LINE];
    snprintf(line, sizeof line, "FROM %s MSG %.*s", client->name, (int)text.length, text.at);
    client_send(client, "OK");
    say(line, client);
}

static void join(struct client *client, const char *name, enum state state) {
    char line[MAX_LINE];
    snprintf(line, sizeof line, "JOIN %s", name);
    say(line, client);
    strcpy(client->name, name);
    client->state = state;
}

// Sends the line to all clients except `by`.
static void say(const char *line, const struct client *by) {
    for (size_t i = 0; i < n_clients; i++) {
        if (clients[i] != by && joined(clients[i]))
            client_send(clients[i], "%s", line);
    }
}

// Section 6: the end.

static void bye(struct client *client) {
    client_send(client, "BYE");
    end(client);
}

// Ends the session. Pending lines are still sent (6.4).
static void end(struct client *client) {
    bool was_joined = joined(client);
    client->state = LEFT;
    client->n_received = 0;
    client->closing = true;
    if (was_joined) {
        char line[MAX_LINE];
        snprintf(line, sizeof line, "LOGOUT %s", client->name);
        say(line, client);
    }
}

// Closes the connection. `turn` frees the memory.
static void drop(struct client *client) {
    end(client);
    close(client->socket);
    client->socket = -1;
}

// 6.3: sends BYE to all clients, and closes.
static void stop(void) {
    for (size_t i = 0; i < n_clients; i++) {
        if (joined(clients[i]))
            client_send(clients[i], "BYE");
        clients[i]->state = LEFT;
        clients[i]->closing = true;
        client_write(clients[i]);
    }
    for (double deadline = now() + 1; n_clients > 0 && now() < deadline;)
        turn(-1, 100);
}

static void on_signal(int signal) {
    (void)signal;
    stopping = 1;
}

// Listens on HOST:PORT, and prints the address.
static int listen_on(const char *address) {
    char host[256], port[32];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof host) {
        fprintf(stderr, "usage: server HOST:PORT\n");
        exit(2);
    }
    bool is_bracketed = address[0] == '[' && colon[-1] == ']'; // [::1]:2222
    snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * is_bracketed, address + is_bracketed);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *found;
    int error = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found);
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", address, gai_strerror(error));
        exit(1);
    }
    int yes = 1, listener = socket(found->ai_family, found->ai_socktype, found->ai_protocol);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (listener < 0 || bind(listener, found->ai_addr, found->ai_addrlen) < 0 || listen(listener, 128) < 0)
        die(address);
    freeaddrinfo(found);
    struct sockaddr_storage bound;
    socklen_t length = sizeof bound;
    getsockname(listener, (struct sockaddr *)&bound, &length);
    getnameinfo((struct sockaddr *)&bound, length, host, sizeof host, port, sizeof port,
                NI_NUMERICHOST | NI_NUMERICSERV);
    printf(bound.ss_family == AF_INET6 ? "listening on [%s]:%s\n" : "listening on %s:%s\n", host, port);
    fflush(stdout);
    return listener;
}

int main(int argc, char **argv) {
    const char *address = "localhost:2222"; // port 0: any free port
    for (int i = 1; i < argc; i++) {
        const struct { const char *name; double *value; } flags[] = {
            {"--max-clients", &settings.max_clients},       // 2.6
            {"--login-deadline", &settings.login_deadline}, // seconds (2.5)
            {"--ping-after", &settings.ping_after},         // seconds (6.1)
            {"--pong-within", &settings.pong_within},       // seconds (6.1)
            {"--max-stall", &settings.max_stall},           // seconds (6.5)
        };
        size_t n_flags = sizeof flags / sizeof *flags, flag = 0;
        while (flag < n_flags && strcmp(argv[i], flags[flag].name) != 0)
            flag++;
        if (flag < n_flags && i + 1 < argc)
            *flags[flag].value = strtod(argv[++i], NULL);
        else if (strcmp(argv[i], "--no-plain") == 0) // refuse plain sessions (2.8)
            settings.no_plain = true;
        else
            address = argv[i];
    }
    int listener = listen_on(address);
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN); // Otherwise a write to a client that is gone ends the server.
    run(listener);
    return 0;
}
