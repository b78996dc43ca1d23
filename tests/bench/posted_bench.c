/* How long it takes from the acceptance of an event until the DetectedIssue that it changes is on
 * the server: a FHIR server of its own in a thread, and notifications at an even pace to the hook.
 *
 *   posted_bench               prints the port of its server, and waits for a line on standard input:
 *   URL SECRET RATE SECONDS    URL of the hook
 *
 * The charts are those of RATE patients on lenalidomide, each of whom gets a new low count of
 * neutrophils once a second. */
#include <inttypes.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <uv.h>

#include "base/buf.h"
#include "base/instant.h"
#include "base/mem.h"
#include "net/http_client.h"

#define PATIENTS_MAX 1000
#define ISSUES_MAX   20000

struct issue {
    char id[80];
    char *body; /* owned */
};

/* Of one event; nanoseconds, 0: not yet. */
struct sample {
    uint64_t accepted, posted;
};

static struct {
    uv_mutex_t mutex; /* for what the thread of the server writes */
    struct issue issues[ISSUES_MAX];
    size_t issue_count;
    long writes;
    long patients, rounds;
    struct sample *samples;   /* [patient][round] */
    long round[PATIENTS_MAX]; /* the latest sent; -1: none */
} town;

static struct sample *sample_of(long patient, long round)
{
    return &town.samples[patient * town.rounds + round];
}

/* ---- the server */

static void put_order(struct buf *out, long patient)
{
    buf_printf(out,
               "{\"resourceType\":\"MedicationRequest\",\"id\":\"m%ld\",\"meta\":{\"versionId\":"
               "\"1\",\"lastUpdated\":\"2026-01-01T00:00:00Z\"},\"status\":\"active\",\"intent\":"
               "\"order\",\"subject\":{\"reference\":\"Patient/p%ld\"},\"authoredOn\":"
               "\"2026-01-01\",\"medicationCodeableConcept\":{\"coding\":[{\"system\":"
               "\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"342369\"}]}}",
               patient, patient);
}

static struct issue *issue_find(const char *id)
{
    for (size_t i = 0; i < town.issue_count; i++)
        if (strcmp(town.issues[i].id, id) == 0) return &town.issues[i];
    return NULL;
}

static void note_posted(const char *body)
{
    const char *whose = strstr(body, "\"Patient/p");
    long patient = whose ? strtol(whose + strlen("\"Patient/p"), NULL, 10) : -1;

    if (patient < 0 || patient >= town.patients || town.round[patient] < 0) return;
    struct sample *sample = sample_of(patient, town.round[patient]);
    if (!sample->posted) sample->posted = uv_hrtime();
}

static unsigned take_write(const char *path, const char *body)
{
    town.writes++;
    if (strncmp(path, "DetectedIssue/", 14) != 0) return 201;
    struct issue *issue = issue_find(path + 14);
    note_posted(body);
    if (!issue && town.issue_count < ISSUES_MAX) {
        issue = &town.issues[town.issue_count++];
        snprintf(issue->id, sizeof issue->id, "%s", path + 14);
    }
    if (!issue) return 507;
    free(issue->body);
    issue->body = mem_strdup(body);
    return 200;
}

static unsigned take_read(struct buf *out, const char *path, const char *patient)
{
    if (strcmp(path, "metadata") == 0) {
        buf_text(out,
                 "{\"resourceType\":\"CapabilityStatement\",\"fhirVersion\":\"4.0.1\",\"rest\":[{"
                 "\"mode\":\"server\",\"resource\":[{\"type\":\"DetectedIssue\",\"updateCreate\":"
                 "true},{\"type\":\"Device\",\"updateCreate\":true},{\"type\":\"Subscription\"},{"
                 "\"type\":\"MedicationRequest\"},{\"type\":\"Observation\"}]}]}");
    } else if (strncmp(path, "DetectedIssue/", 14) == 0) {
        struct issue *issue = issue_find(path + 14);
        if (!issue) return 404;
        buf_text(out, issue->body);
    } else if (strncmp(path, "Patient/", 8) == 0) {
        buf_printf(out, "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"gender\":\"male\"}",
                   path + 8);
    } else {
        buf_text(out, "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"entry\":[");
        if (patient && strcmp(path, "MedicationRequest") == 0) {
            buf_text(out, "{\"resource\":");
            put_order(out, strtol(patient + 1, NULL, 10));
            buf_text(out, "}");
        }
        buf_text(out, "]}");
    }
    return 200;
}

static enum MHD_Result answer(struct MHD_Connection *connection, const char *method,
                              const char *path, const struct buf *body)
{
    AUTO(buf_done) struct buf out = { 0 };
    struct MHD_Response *response;
    unsigned status;

    uv_mutex_lock(&town.mutex);
    if (strcmp(method, "GET") == 0)
        status = take_read(
            &out, path, MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "patient"));
    else
        status = take_write(path, buf_string(body));
    uv_mutex_unlock(&town.mutex);
    response = MHD_create_response_from_buffer(out.len, out.data, MHD_RESPMEM_MUST_COPY);
    MHD_add_response_header(response, "Content-Type", "application/fhir+json");
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
    struct buf *body = *state;

    (void)arg;
    (void)version;
    if (!body) {
        *state = mem_new(struct buf);
        return MHD_YES;
    }
    if (*upload_len) {
        buf_add(body, upload, *upload_len);
        *upload_len = 0;
        return MHD_YES;
    }
    enum MHD_Result result = answer(connection, method, url + strlen("/fhir/"), body);
    buf_done(body);
    free(body);
    *state = NULL;
    return result;
}

/* ---- the sender */

struct bench {
    uv_loop_t loop;
    uv_timer_t timer;
    struct http_client *client;
    char url[256], key[300];
    long sent, count, good, open;
    uint64_t begin_ns;
    int rate;
};

struct shot {
    struct bench *bench;
    struct sample *sample; /* NULL: of the warming up */
};

static void on_done(const struct http_reply *reply, void *arg)
{
    struct shot *shot = arg;

    shot->bench->good += reply->status == 200;
    shot->bench->open--;
    if (shot->sample && reply->status == 200) shot->sample->accepted = uv_hrtime();
    free(shot);
}

static void shoot(struct bench *bench, const char *type, const char *id, const char *body,
                  struct sample *sample)
{
    const char *headers[] = { "Content-Type: application/fhir+json", bench->key, NULL };
    struct shot *shot = mem_new(struct shot);
    char url[400];

    snprintf(url, sizeof url, "%s/%s/%s/%s", bench->url, type, type, id);
    *shot = (struct shot){ bench, sample };
    bench->open++;
    http_start(bench->client,
               &(struct http_request){ .method = "PUT",
                                       .url = url,
                                       .headers = headers,
                                       .body = body,
                                       .body_len = strlen(body),
                                       .timeout_ms = 30000,
                                       .reply_max = 65536 },
               on_done, shot);
}

static void send_count(struct bench *bench, long patient, long round)
{
    struct timespec now;
    char body[1200], stamp[32], id[40];

    clock_gettime(CLOCK_REALTIME, &now);
    instant_text((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000, stamp, sizeof stamp);
    snprintf(id, sizeof id, "o%ld-%ld", patient, round);
    snprintf(body, sizeof body,
             "{\"resourceType\":\"Observation\",\"id\":\"%s\",\"meta\":{\"versionId\":\"1\","
             "\"lastUpdated\":\"%s\"},\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"
             "\"http://loinc.org\",\"code\":\"751-8\"}]},\"subject\":{\"reference\":"
             "\"Patient/p%ld\"},\"effectiveDateTime\":\"%s\",\"valueQuantity\":{\"value\":0.%ld,"
             "\"system\":\"http://unitsofmeasure.org\",\"code\":\"10*9/L\"}}",
             id, stamp, patient, stamp, 10 + round % 30);
    uv_mutex_lock(&town.mutex);
    town.round[patient] = round;
    uv_mutex_unlock(&town.mutex);
    shoot(bench, "Observation", id, body, sample_of(patient, round));
}

/* As many as are due by now: a slow receiver does not slow the pace. */
static void on_tick(uv_timer_t *timer)
{
    struct bench *bench = timer->data;
    long due = (long)((uv_hrtime() - bench->begin_ns) / 1000 * (uint64_t)bench->rate / 1000000);

    for (; bench->sent < due && bench->sent < bench->count; bench->sent++)
        send_count(bench, bench->sent % town.patients, bench->sent / town.patients);
    if (bench->sent == bench->count) uv_timer_stop(timer);
}

static long writes(void)
{
    uv_mutex_lock(&town.mutex);
    long n = town.writes;
    uv_mutex_unlock(&town.mutex);
    return n;
}

static void nothing(uv_timer_t *timer)
{
    (void)timer;
}

/* Until nothing has been written for a second. */
static void settle(struct bench *bench)
{
    for (long before = -1; before != writes();) {
        before = writes();
        uv_timer_start(&bench->timer, nothing, 1500, 0);
        uv_run(&bench->loop, UV_RUN_DEFAULT);
    }
}

static int compare(const void *a, const void *b)
{
    double one = *(const double *)a, other = *(const double *)b;

    return one < other ? -1 : one > other;
}

static void report(const struct bench *bench)
{
    double *took = mem_zero((size_t)bench->count, sizeof *took);
    long n = 0;

    for (long i = 0; i < bench->count; i++) {
        struct sample s = *sample_of(i % town.patients, i / town.patients);
        if (s.accepted && s.posted)
            took[n++] = s.posted > s.accepted ? (double)(s.posted - s.accepted) / 1e6 : 0;
    }
    qsort(took, (size_t)n, sizeof *took, compare);
    printf("sent %ld\naccepted %ld\nposted %ld\n", bench->sent, bench->good, n);
    if (n) printf("p50_ms %.2f\np99_ms %.2f\n", took[n / 2], took[n * 99 / 100]);
    free(took);
}

int main(void)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct http_client_options options = { .user_agent = "bench", .connections_max = 16 };
    static struct bench bench;
    struct MHD_Daemon *daemon;
    char secret[200];
    int seconds;

    uv_mutex_init(&town.mutex);
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, NULL,
                              MHD_OPTION_SOCK_ADDR, &here, MHD_OPTION_END);
    if (!daemon) return 1;
    printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    fflush(stdout);
    if (scanf("%255s %199s %d %d", bench.url, secret, &bench.rate, &seconds) != 4) return 2;
    if (bench.rate < 1 || bench.rate > PATIENTS_MAX) return 2;
    snprintf(bench.key, sizeof bench.key, "X-Myeloma-Adapter-Key: %s", secret);
    town.patients = bench.rate;
    town.rounds = seconds;
    bench.count = town.patients * town.rounds;
    town.samples = mem_zero((size_t)bench.count, sizeof *town.samples);
    uv_loop_init(&bench.loop);
    uv_timer_init(&bench.loop, &bench.timer);
    bench.timer.data = &bench;
    bench.client = http_client_new(&bench.loop, &options);
    for (long i = 0; i < town.patients; i++) {
        AUTO(buf_done) struct buf body = { 0 };
        char id[40];
        town.round[i] = -1;
        put_order(&body, i);
        snprintf(id, sizeof id, "m%ld", i);
        shoot(&bench, "MedicationRequest", id, buf_string(&body), NULL);
    }
    settle(&bench);
    bench.good = 0;
    bench.begin_ns = uv_hrtime();
    uv_timer_start(&bench.timer, on_tick, 1, 1);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    settle(&bench);
    report(&bench);
    http_client_free(bench.client);
    uv_close((uv_handle_t *)&bench.timer, NULL);
    uv_run(&bench.loop, UV_RUN_DEFAULT);
    MHD_stop_daemon(daemon);
    return 0;
}
