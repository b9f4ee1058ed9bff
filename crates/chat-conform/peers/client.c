// A chat client in one thread: `poll` over the keyboard and the server, and protocole.md.
//
//     cc -std=c11 -O2 -o client client.c && ./client localhost:2222 --name alice
//
// Numbers in comments are clauses of protocole.md. Each typed line is sent as a message. The end of the input sends
// BYE.
#define _POSIX_C_SOURCE 200809L

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MAX_LINE = 8192 }; // 1.3
enum { MAX_WAITING = 16 }; // how many messages may have no reply yet before the keyboard has to wait
enum { READ = 2000 };

// How many bytes the first character has; 0 if it is not UTF-8 (1.3). `text` ends with a NUL, so no byte behind it is
// looked at.
static size_t character(const char *text, unsigned *value) {
    const unsigned char *at = (const unsigned char *)text;
    *value = at[0];
    if (at[0] < 0x80)
        return 1;
    size_t length = at[0] < 0xe0 ? 2 : at[0] < 0xf0 ? 3 : 4;
    if (at[0] < 0xc2 || at[0] > 0xf4)
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

// 7.3: prints control characters and those that change the direction of text escaped, so that no text from the network
// controls the terminal. Bytes that are not UTF-8 too.
static void print_escaped(const char *text) {
    unsigned c;
    for (size_t length; *text != '\0'; text += length) {
        length = character(text, &c);
        if (length == 0) {
            length = 1;
            printf("\\x%02x", (unsigned char)*text);
        } else if ((c < 0x20 && c != '\t') || (c >= 0x7f && c <= 0x9f) || c == 0x061c || c == 0x200e || c == 0x200f ||
                   (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069)) {
            printf("\\u{%x}", c);
        } else {
            fwrite(text, 1, length, stdout);
        }
    }
}

static void show(const char *before, const char *name, const char *between, const char *text) {
    fputs(before, stdout);
    print_escaped(name);
    fputs(between, stdout);
    print_escaped(text);
    putchar('\n');
    fflush(stdout);
}

// Splits a stream of bytes into lines (7.5), with bounded memory (7.7).
struct lines {
    char bytes[MAX_LINE + READ];
    size_t length;
    bool dropping; // whether these bytes go on a line that is too long
    int dropped;   // how many lines were too long
};

// Reads once. Returns false at the end of the stream.
static bool lines_add(struct lines *lines, int file) {
    ssize_t length = read(file, lines->bytes + lines->length, READ);
    if (length > 0)
        lines->length += (size_t)length;
    return length > 0 || (length < 0 && errno == EINTR);
}

// Copies the next line; false if there is none. A line that is too long comes out empty, and a NUL as another control
// character, because NUL ends a C string.
static bool lines_next(struct lines *lines, char *line) {
    const char *lf = memchr(lines->bytes, '\n', lines->length);
    size_t length = lf ? (size_t)(lf - lines->bytes) : lines->length;
    if (length >= MAX_LINE && !lines->dropping) {
        lines->dropping = true;
        lines->dropped++;
    }
    if (lf == NULL) {
        lines->length = lines->dropping ? 0 : lines->length;
        return false;
    }
    size_t kept = lines->dropping ? 0 : length;
    kept -= kept > 0 && lines->bytes[kept - 1] == '\r';
    for (size_t i = 0; i < kept; i++)
        line[i] = lines->bytes[i] == '\0' ? '\1' : lines->bytes[i];
    line[kept] = '\0';
    lines->length -= length + 1;
    memmove(lines->bytes, lf + 1, lines->length);
    lines->dropping = false;
    return true;
}

static int server;
static char name[MAX_LINE]; // empty for a guest
static bool joined;
static bool asked;  // whether the server waits for another name
static int waiting; // how many messages have no reply yet (7.6)
static int refused;
static bool typing = true;
static bool left;
static struct lines network, keyboard;

static void client_send(const char *before, const char *text);
static void type(void);
static bool can_say(void);
static void say(const char *line);
static bool hear(char *line);
static int gone(void);

static void send_bytes(const char *bytes, size_t length) {
    for (ssize_t sent; length > 0; bytes += sent, length -= (size_t)sent) {
        sent = send(server, bytes, length, 0);
        if (sent < 0 && errno != EINTR)
            return; // The connection is gone: the next read says so.
        sent = sent < 0 ? 0 : sent;
    }
}

static void client_send(const char *before, const char *text) {
    char line[2 * MAX_LINE];
    send_bytes(line, (size_t)snprintf(line, sizeof line, "%s%s\r\n", before, text));
}

// Returns the exit code.
static int run(void) {
    joined = name[0] == '\0'; // A guest joins with its first line (2.3).
    client_send(joined ? "" : "PROT 0.1 CONNECT USER ", name);
    for (;;) {
        type();
        if (asked && !typing && keyboard.length == 0)
            return gone();
        struct pollfd polled[] = {{.fd = server, .events = POLLIN},
                                  {.fd = typing && can_say() ? STDIN_FILENO : -1, .events = POLLIN}};
        if (poll(polled, 2, -1) < 0)
            continue;
        if (polled[0].revents) {
            char line[MAX_LINE];
            if (!lines_add(&network, server))
                return gone(); // 1.7: drop the incomplete line in `network`
            while (lines_next(&network, line)) {
                if (!hear(line))
                    return gone();
            }
        }
        if (polled[1].revents) {
            typing = lines_add(&keyboard, STDIN_FILENO);
            if (!typing && keyboard.length > 0)
                keyboard.bytes[keyboard.length++] = '\n';
        }
    }
}

// Sends what was typed, as far as the server keeps up.
static void type(void) {
    char line[MAX_LINE];
    while (can_say() && lines_next(&keyboard, line))
        say(line);
    if (!typing && keyboard.length == 0 && joined && waiting == 0 && !left) {
        left = true;
        client_send("BYE", ""); // 3.8, 4.3
    }
}

static bool can_say(void) {
    return (joined || asked) && waiting < MAX_WAITING;
}

static void say(const char *line) {
    if (asked) {
        asked = false;
        strcpy(name, line);
        client_send("NAME ", name);
    } else if (line[0] != '\0') {
        waiting++;
        client_send(name[0] == '\0' ? "" : "MSG ", line);
    }
}

// Returns false if the session is over.
static bool hear(char *line) {
    char *rest = strchr(line, ' ');
    char *said = rest ? strchr(++rest, ' ') : NULL;
    bool is_one_word = rest && *rest && !said;
    if (strncmp(line, "FROM ", 5) == 0 && said && strncmp(said, " MSG ", 5) == 0) {
        *said = '\0';
        show("<", rest, "> ", said + 5);
    } else if (strncmp(line, "JOIN ", 5) == 0 && is_one_word) {
        show("* ", rest, " is here", "");
    } else if (strncmp(line, "LOGOUT ", 7) == 0 && is_one_word) {
        show("* ", rest, " has left", "");
    } else if (strncmp(line, "NOTICE ", 7) == 0) { // 7.8
        show("* notice: ", rest, "", "");
    } else if (strcmp(line, "PING") == 0) {
        client_send("PONG", ""); // 7.4
    } else if (strcmp(line, "WELCOME") == 0) {
        joined = true;
    } else if (strcmp(line, "NAME FAILURE") == 0 && !joined) {
        show("! the name ", name, " cannot be had", "");
    } else if (strcmp(line, "NAME REQ") == 0 && !joined) { // 3.3: a person may type another name, a script ends
        if (!isatty(STDIN_FILENO))
            return false;
        show("! type another", "", "", "");
        asked = true;
    } else if ((strcmp(line, "OK") == 0 || strcmp(line, "BAD REQ") == 0) && joined) {
        bool is_refusal = strcmp(line, "OK") != 0;
        if (waiting > 0) { // 7.2: ignore a reply without a request
            waiting--;
            refused += is_refusal;
        }
        if (is_refusal)
            show("! refused", "", "", "");
    } else if (strcmp(line, "BYE") == 0 ||
               (!joined && (strcmp(line, "BAD PROT") == 0 || strcmp(line, "BAD REQ") == 0))) {
        show("! ", line, "", "");
        return false; // 6.7
    } else if (line[0] != '\0' && strcmp(line, "NAME OK") != 0 && strcmp(line, "PONG") != 0) {
        show("? ", line, "", ""); // 7.1
    }
    return true;
}

// 7.6: a message without a reply may have been delivered, so it is not sent again.
static int gone(void) {
    if (waiting > 0)
        printf("! the end; messages without an answer: %d\n", waiting);
    if (keyboard.dropped > 0)
        printf("! too long, not sent: %d\n", keyboard.dropped);
    return left && waiting + refused + keyboard.dropped == 0 ? 0 : 1;
}

// Connects to HOST:PORT.
static int connect_to(const char *address) {
    char host[256];
    const char *colon = strrchr(address, ':');
    if (colon == NULL || (size_t)(colon - address) >= sizeof host) {
        fprintf(stderr, "usage: client HOST:PORT [--name NAME]\n");
        exit(2);
    }
    bool is_bracketed = address[0] == '[' && colon[-1] == ']'; // [::1]:2222
    snprintf(host, sizeof host, "%.*s", (int)(colon - address) - 2 * is_bracketed, address + is_bracketed);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *found;
    int error = getaddrinfo(host[0] ? host : NULL, colon + 1, &hints, &found);
    if (error != 0) {
        fprintf(stderr, "%s: %s\n", address, gai_strerror(error));
        exit(1);
    }
    for (const struct addrinfo *each = found; each != NULL; each = each->ai_next) {
        int yes = 1, connected = socket(each->ai_family, each->ai_socktype, each->ai_protocol);
        if (connect(connected, each->ai_addr, each->ai_addrlen) == 0) {
            setsockopt(connected, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
            freeaddrinfo(found);
            return connected;
        }
        close(connected);
    }
    perror(address);
    exit(1);
}

int main(int argc, char **argv) {
    const char *address = "localhost:2222";
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--name") == 0 && i + 1 < argc) // without it you are a guest
            snprintf(name, sizeof name, "%s", argv[++i]);
        else
            address = argv[i];
    }
    signal(SIGPIPE, SIG_IGN); // Otherwise a write to a server that is gone ends the client.
    server = connect_to(address);
    int code = run();
    close(server);
    return code;
}
