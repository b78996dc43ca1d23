#include "app/service.h"

#include <systemd/sd-daemon.h>
#include <time.h>

static void service_on_tick(uv_timer_t *timer)
{
    struct service *service = timer->data;

    if (service->alive(service->arg)) sd_notify(0, "WATCHDOG=1");
}

void service_watch(struct service *service, uv_loop_t *loop, service_alive_fn *alive, void *arg)
{
    uint64_t interval_us = 0;

    service->alive = alive;
    service->arg = arg;
    uv_timer_init(loop, &service->watchdog);
    service->watchdog.data = service;
    uv_unref((uv_handle_t *)&service->watchdog);
    if (sd_watchdog_enabled(0, &interval_us) <= 0) return;
    uv_timer_start(&service->watchdog, service_on_tick, interval_us / 4000, interval_us / 2000);
}

void service_ready(const char *status)
{
    sd_notifyf(0, "READY=1\nSTATUS=%s", status);
}

void service_reloading(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reloading",
               (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

void service_stopping(void)
{
    sd_notify(0, "STOPPING=1\nSTATUS=stopping");
}

void service_done(struct service *service)
{
    uv_close((uv_handle_t *)&service->watchdog, NULL);
}
