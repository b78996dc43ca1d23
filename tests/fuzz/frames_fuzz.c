#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "net/frames.h"

#define MESSAGE_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool claim)
{
    if (!claim) abort();
}

struct peer {
    const uint8_t *data;
    size_t size, at, piece;
    bool hungry; /* gives once between two turns */
    struct buf texts;
};

static ssize_t peer_read(void *buf, size_t len, void *arg)
{
    struct peer *peer = arg;
    size_t n = peer->size - peer->at;

    if (!peer->hungry) return FRAMES_LATER;
    if (!n) return FRAMES_GONE;
    if (n > len) n = len;
    if (n > peer->piece) n = peer->piece;
    memcpy(buf, peer->data + peer->at, n);
    peer->at += n;
    peer->hungry = false;
    return (ssize_t)n;
}

static ssize_t peer_write(const void *data, size_t len, void *arg)
{
    (void)data;
    (void)arg;
    return (ssize_t)len;
}

static bool peer_random(void *buf, size_t len, void *arg)
{
    (void)arg;
    memset(buf, 7, len);
    return true;
}

static void peer_text(const char *text, size_t len, void *arg)
{
    struct peer *peer = arg;

    require(len <= MESSAGE_MAX && text[len] == '\0');
    buf_add(&peer->texts, text, len);
    buf_char(&peer->texts, '|');
}

static void feed(struct peer *peer)
{
    static const struct frames_io io = { peer_read, peer_write, peer_random, peer_text };
    struct frames *frames = frames_new(&io, MESSAGE_MAX, peer);
    enum frames_state state = FRAMES_OPEN;
    bool ours;

    while (state == FRAMES_OPEN) {
        peer->hungry = true;
        state = frames_turn(frames);
        if (state == FRAMES_OPEN) require(frames_wants_read(frames));
    }
    require(state != FRAMES_CLOSED || frames_code(frames, &ours) != 0);
    frames_free(frames);
}

/* Whatever a server sends: messages are bounded, it comes to an end, and it makes no difference to
 * them how the bytes are cut. (wslay looks at the reason in a close frame only as far as it comes in
 * one piece: how it ends may differ then.) */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct peer one = { .data = data, .size = size, .piece = size ? size : 1 };
    struct peer other = { .data = data, .size = size, .piece = 1 };

    feed(&one);
    feed(&other);
    require(one.texts.len == other.texts.len);
    require(strcmp(buf_string(&one.texts), buf_string(&other.texts)) == 0);
    buf_done(&one.texts);
    buf_done(&other.texts);
    return 0;
}
