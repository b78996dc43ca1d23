#include "app/signals.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <unistd.h>

static void signals_on_poll(uv_poll_t *poll, int status, int events)
{
    struct signals *signals = poll->data;
    struct signalfd_siginfo info;

    (void)status;
    (void)events;
    while (read(signals->fd, &info, sizeof info) == sizeof info) {
        signals->fn((int)info.ssi_signo, signals->arg);
        if (uv_is_closing((uv_handle_t *)poll)) return;
    }
}

static void signals_on_closed(uv_handle_t *handle)
{
    struct signals *signals = handle->data;

    close(signals->fd);
}

/* Not uv_signal_t: when the last of those is closed its signal ends the process again, in the middle of
 * what a stop still has to do. */
void signals_start(struct signals *signals, uv_loop_t *loop, signals_fn *fn, void *arg)
{
    sigset_t mine;

    sigemptyset(&mine);
    sigaddset(&mine, SIGTERM);
    sigaddset(&mine, SIGINT);
    sigaddset(&mine, SIGHUP);
    signals->fn = fn;
    signals->arg = arg;
    signals->poll.data = signals;
    if (pthread_sigmask(SIG_BLOCK, &mine, NULL) != 0 ||
        (signals->fd = signalfd(-1, &mine, SFD_NONBLOCK | SFD_CLOEXEC)) < 0 ||
        uv_poll_init(loop, &signals->poll, signals->fd) != 0 ||
        uv_poll_start(&signals->poll, UV_READABLE, signals_on_poll) != 0)
        abort();
}

void signals_close(struct signals *signals)
{
    uv_close((uv_handle_t *)&signals->poll, signals_on_closed);
}
