#include "net/frames.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wslay/wslay.h>

#include "base/buf.h"
#include "base/mem.h"

#define OWED_MAX 16 /* frames that wait to be written: no more is read until they are gone */

struct frames {
    wslay_event_context_ptr ws; /* owned */
    const struct frames_io *io; /* borrowed, as is arg */
    void *arg;
    size_t message_max;
    struct buf message; /* owned: the text so far */
    bool in_text;       /* the present frame is part of a text, no control frame */
    bool broken;        /* the peer broke a rule of ours: nothing more is taken from it */
    bool gone;          /* the connection is over */
};

static bool is_full(const struct frames *at)
{
    return wslay_event_get_queued_msg_count(at->ws) > OWED_MAX;
}

/* ---- what wslay asks for */

static ssize_t want_bytes(wslay_event_context_ptr ws, uint8_t *buf, size_t len, int flags,
                          void *arg)
{
    struct frames *at = arg;
    ssize_t n = at->broken || is_full(at) ? FRAMES_LATER : at->io->read(buf, len, at->arg);

    (void)flags;
    if (n > 0) return n;
    if (n < 0) at->gone = true;
    wslay_event_set_error(ws, n < 0 ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static ssize_t want_written(wslay_event_context_ptr ws, const uint8_t *data, size_t len, int flags,
                            void *arg)
{
    struct frames *at = arg;
    ssize_t n = at->io->write(data, len, at->arg);

    (void)flags;
    if (n > 0) return n;
    if (n < 0) at->gone = true;
    wslay_event_set_error(ws, n < 0 ? WSLAY_ERR_CALLBACK_FAILURE : WSLAY_ERR_WOULDBLOCK);
    return -1;
}

static int want_mask(wslay_event_context_ptr ws, uint8_t *buf, size_t len, void *arg)
{
    struct frames *at = arg;

    if (at->io->random(buf, len, at->arg)) return 0;
    wslay_event_set_error(ws, WSLAY_ERR_CALLBACK_FAILURE);
    return -1;
}

/* ---- what came */

static void refuse(struct frames *at, unsigned code)
{
    at->broken = true;
    frames_close(at, code);
}

/* The limit is kept before anything of the frame is stored. */
static void on_frame(wslay_event_context_ptr ws,
                     const struct wslay_event_on_frame_recv_start_arg *frame, void *arg)
{
    struct frames *at = arg;

    (void)ws;
    at->in_text = !wslay_is_ctrl_frame(frame->opcode);
    if (at->broken || !at->in_text) return;
    if (frame->opcode == WSLAY_BINARY_FRAME)
        refuse(at, FRAMES_BINARY);
    else if (frame->payload_length > at->message_max - at->message.len)
        refuse(at, FRAMES_TOO_BIG);
}

static void on_chunk(wslay_event_context_ptr ws,
                     const struct wslay_event_on_frame_recv_chunk_arg *chunk, void *arg)
{
    struct frames *at = arg;

    (void)ws;
    if (at->broken || !at->in_text || !chunk->data_length) return;
    buf_add(&at->message, chunk->data, chunk->data_length);
}

static void on_message(wslay_event_context_ptr ws, const struct wslay_event_on_msg_recv_arg *msg,
                       void *arg)
{
    struct frames *at = arg;

    (void)ws;
    if (at->broken || msg->opcode != WSLAY_TEXT_FRAME) return;
    at->io->text(buf_string(&at->message), at->message.len, at->arg);
    buf_done(&at->message);
}

/* ---- from outside */

struct frames *frames_new(const struct frames_io *io, size_t message_max, void *arg)
{
    static const struct wslay_event_callbacks callbacks = { .recv_callback = want_bytes,
                                                            .send_callback = want_written,
                                                            .genmask_callback = want_mask,
                                                            .on_frame_recv_start_callback =
                                                                on_frame,
                                                            .on_frame_recv_chunk_callback =
                                                                on_chunk,
                                                            .on_msg_recv_callback = on_message };
    struct frames *at = mem_new(struct frames);

    at->io = io;
    at->arg = arg;
    at->message_max = message_max;
    if (wslay_event_context_client_init(&at->ws, &callbacks, at) != 0) abort(); /* no memory */
    /* wslay would keep each fragment in a block of its own: a message of many small ones would cost
     * many times its size. */
    wslay_event_config_set_no_buffering(at->ws, 1);
    return at;
}

void frames_free(struct frames *at)
{
    if (!at) return;
    wslay_event_context_free(at->ws);
    buf_done(&at->message);
    free(at);
}

static void say(struct frames *at, uint8_t opcode, const char *text, size_t len)
{
    struct wslay_event_msg msg = { .opcode = opcode,
                                   .msg = (const uint8_t *)text,
                                   .msg_length = len };

    if (wslay_event_queue_msg(at->ws, &msg) == WSLAY_ERR_NOMEM) abort();
}

void frames_text(struct frames *at, const char *text)
{
    say(at, WSLAY_TEXT_FRAME, text, strlen(text));
}

void frames_ping(struct frames *at)
{
    say(at, WSLAY_PING, "", 0);
}

void frames_close(struct frames *at, unsigned code)
{
    if (wslay_event_queue_close(at->ws, (uint16_t)code, NULL, 0) == WSLAY_ERR_NOMEM) abort();
}

enum frames_state frames_turn(struct frames *at)
{
    int in = wslay_event_recv(at->ws), out;

    out = wslay_event_send(at->ws);
    if (at->broken || wslay_event_get_close_received(at->ws)) return FRAMES_CLOSED;
    if (at->gone) return FRAMES_LOST;
    if (in != 0 || !wslay_event_get_read_enabled(at->ws)) return FRAMES_CLOSED; /* wslay's rules */
    return out == 0 ? FRAMES_OPEN : FRAMES_LOST;
}

void frames_flush(struct frames *at)
{
    if (wslay_event_send(at->ws) != 0) at->gone = true;
}

bool frames_wants_read(const struct frames *at)
{
    return wslay_event_want_read(at->ws) && !at->broken && !is_full(at);
}

bool frames_wants_write(const struct frames *at)
{
    return wslay_event_want_write(at->ws);
}

unsigned frames_code(const struct frames *at, bool *ret_ours)
{
    unsigned code;

    *ret_ours = at->broken || !wslay_event_get_close_received(at->ws);
    code = *ret_ours ? wslay_event_get_status_code_sent(at->ws)
                     : wslay_event_get_status_code_received(at->ws);
    if (code && code != FRAMES_NO_CODE) return code;
    return *ret_ours ? FRAMES_PROTOCOL : FRAMES_NO_CODE; /* wslay may say nothing of why */
}
