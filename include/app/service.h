/* What systemd is told: readiness, reloads, the watchdog. Nothing happens without systemd. */
#pragma once

#include <stdbool.h>
#include <uv.h>

/* Asked before each sign of life: is everything still moving? */
typedef bool service_alive_fn(void *arg);

struct service {
    uv_timer_t watchdog;
    service_alive_fn *alive;
    void *arg;
};

/* Feed the watchdog, if the unit has one, at half its interval as long as alive() says so. */
void service_watch(struct service *service, uv_loop_t *loop, service_alive_fn *alive, void *arg);

/* READY=1, RELOADING=1, STOPPING=1, each with a status line of our own words. */
void service_ready(const char *status);
void service_reloading(void);
void service_stopping(void);

/* Closes the timer; the struct may go when the loop has run. */
void service_done(struct service *service);
