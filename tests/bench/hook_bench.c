/* Notifications accepted per second, each acknowledged after a durable commit: PUT of a new
 * Observation to the listener, so many in flight.   hook_bench URL SECRET COUNT IN_FLIGHT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "base/mem.h"
#include "net/http_client.h"

struct bench {
    struct http_client *client;
    uv_loop_t loop;
    const char *url, *secret;
    long sent, done, good, count, in_flight;
    double *took_ms; /* owned */
};

struct shot {
    struct bench *bench;
    uint64_t start_ns;
};

static void shoot(struct bench *bench);

static void on_done(const struct http_reply *reply, void *arg)
{
    struct shot *shot = arg;
    struct bench *bench = shot->bench;

    bench->took_ms[bench->done++] = (double)(uv_hrtime() - shot->start_ns) / 1e6;
    bench->good += reply->status == 200;
    free(shot);
    if (bench->sent < bench->count)
        shoot(bench);
    else if (bench->done == bench->count)
        uv_stop(&bench->loop);
}

static void shoot(struct bench *bench)
{
    struct shot *shot = mem_new(struct shot);
    char body[1200], url[512], secret[256];
    const char *headers[] = { "Content-Type: application/fhir+json", secret, NULL };
    int n;

    snprintf(secret, sizeof secret, "X-Myeloma-Adapter-Key: %s", bench->secret);
    snprintf(url, sizeof url, "%s/Observation/Observation/b%ld-%ld", bench->url, bench->in_flight,
             bench->sent);
    n = snprintf(
        body, sizeof body,
        "{\"resourceType\":\"Observation\",\"id\":\"b%ld-%ld\",\"meta\":{\"versionId\":\"1\","
        "\"lastUpdated\":\"2026-06-15T12:00:00Z\"},\"status\":\"final\",\"code\":{"
        "\"coding\":[{\"system\":\"http://loinc.org\",\"code\":\"751-8\"}]},\"subject\":{"
        "\"reference\":\"Patient/bench%ld\"},\"effectiveDateTime\":"
        "\"2026-06-15T11:00:00Z\",\"valueQuantity\":{\"value\":1.5,\"system\":"
        "\"http://unitsofmeasure.org\",\"code\":\"10*9/L\"}}",
        bench->in_flight, bench->sent, bench->sent % 1000);
    *shot = (struct shot){ bench, uv_hrtime() };
    bench->sent++;
    http_start(bench->client,
               &(struct http_request){ .method = "PUT",
                                       .url = url,
                                       .headers = headers,
                                       .body = body,
                                       .body_len = (size_t)n,
                                       .timeout_ms = 30000,
                                       .reply_max = 65536 },
               on_done, shot);
}

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;

    return one < other ? -1 : one > other;
}

int main(int argc, char **argv)
{
    struct bench bench = { .url = NULL };
    struct http_client_options options = { .user_agent = "bench" };
    uint64_t start;
    double seconds;

    if (argc != 5) return 2;
    bench.url = argv[1];
    bench.secret = argv[2];
    bench.count = strtol(argv[3], NULL, 10);
    bench.in_flight = strtol(argv[4], NULL, 10);
    options.connections_max = (unsigned)bench.in_flight;
    bench.took_ms = mem_zero((size_t)bench.count, sizeof *bench.took_ms);
    uv_loop_init(&bench.loop);
    bench.client = http_client_new(&bench.loop, &options);
    start = uv_hrtime();
    for (long i = 0; i < bench.in_flight && bench.sent < bench.count; i++) shoot(&bench);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    seconds = (double)(uv_hrtime() - start) / 1e9;
    http_client_free(bench.client);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    qsort(bench.took_ms, (size_t)bench.done, sizeof *bench.took_ms, compare);
    printf("accepted_per_s %.0f\naccepted %ld\np50_ms %.2f\np99_ms %.2f\n",
           (double)bench.good / seconds, bench.good, bench.took_ms[bench.done / 2],
           bench.took_ms[bench.done * 99 / 100]);
    free(bench.took_ms);
    return bench.good == bench.count ? 0 : 1;
}
