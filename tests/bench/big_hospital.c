/* A FHIR server that holds a day of a large hospital and answers as fast as it can: for the
 * measurement of the catch-up poll.   big_hospital EVENTS PATIENTS OURS
 *
 * Event i (of each type: nine Observations for one MedicationRequest) is of patient i modulo
 * PATIENTS, so that neighbours are of different patients; every OURS-th patient is on lenalidomide, the
 * others are on metformin. Times are spread over the last 24 hours. Prints the port,
 * then serves until its standard input ends. GET /stats: what was asked, as "name value" lines. */
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/instant.h"

#define PAGE_MAX 1000
#define PAD      "A sentence of the laboratory that nobody but the reader of this text will ever see. "

static struct {
    long events[2], patients, ours; /* of MedicationRequest, Observation */
    int64_t begin_ms;
    unsigned port;
    long pages, charts, reads, writes;
} town;

static const char *const types[2] = { "MedicationRequest", "Observation" };

/* ---- resources */

static int64_t time_of(int type, long i)
{
    return town.begin_ms + (int64_t)((double)i / (double)town.events[type] * INSTANT_DAY);
}

static void put_order(struct buf *out, long i, const char *updated)
{
    bool ours = i % town.patients % town.ours == 0;

    buf_printf(out,
               "{\"resourceType\":\"MedicationRequest\",\"id\":\"m%ld\",\"meta\":{\"versionId\":"
               "\"1\",\"lastUpdated\":\"%s\"},\"status\":\"active\",\"intent\":\"order\","
               "\"subject\":{\"reference\":\"Patient/p%ld\"},\"authoredOn\":\"2026-01-01\","
               "\"medicationCodeableConcept\":{\"coding\":[{\"system\":"
               "\"http://www.nlm.nih.gov/research/umls/rxnorm\",\"code\":\"%s\"}]},\"note\":[{"
               "\"text\":\"" PAD PAD PAD "\"}]}",
               i, updated, i % town.patients, ours ? "342369" : "6809");
}

static void put_result(struct buf *out, long i, const char *updated)
{
    buf_printf(
        out,
        "{\"resourceType\":\"Observation\",\"id\":\"o%ld\",\"meta\":{\"versionId\":\"1\","
        "\"lastUpdated\":\"%s\"},\"status\":\"final\",\"code\":{\"coding\":[{\"system\":"
        "\"http://loinc.org\",\"code\":\"%s\"}]},\"subject\":{\"reference\":"
        "\"Patient/p%ld\"},\"effectiveDateTime\":\"%s\",\"valueQuantity\":{\"value\":%ld.%ld,"
        "\"system\":\"http://unitsofmeasure.org\",\"code\":\"10*9/L\"},\"note\":[{\"text\":"
        "\"" PAD PAD PAD PAD "\"}]}",
        i, updated, i % 2 ? "751-8" : "777-3", i % town.patients, updated,
        i % 2 ? i % 7 + 1 : 80 + i % 200, i % 10);
}

static void put_entry(struct buf *out, int type, long i, bool first)
{
    char updated[32];

    instant_text(time_of(type, i), updated, sizeof updated);
    buf_text(out, first ? "{\"resource\":" : ",{\"resource\":");
    if (type == 0)
        put_order(out, i, updated);
    else
        put_result(out, i, updated);
    buf_text(out, "}");
}

/* ---- answers */

static void bundle_begin(struct buf *out, const char *next)
{
    char now[32];

    instant_text((int64_t)time(NULL) * 1000, now, sizeof now);
    buf_printf(out,
               "{\"resourceType\":\"Bundle\",\"type\":\"searchset\",\"meta\":{\"lastUpdated\":"
               "\"%s\"},\"link\":[",
               now);
    if (next) buf_printf(out, "{\"relation\":\"next\",\"url\":\"%s\"}", next);
    buf_text(out, "],\"entry\":[");
}

static void answer_page(struct buf *out, int type, long from, long count)
{
    long end = from + count < town.events[type] ? from + count : town.events[type];
    char next[120];

    snprintf(next, sizeof next, "http://127.0.0.1:%u/fhir/_page/%s/%ld/%ld", town.port, types[type],
             end, count);
    bundle_begin(out, end < town.events[type] ? next : NULL);
    for (long i = from; i < end; i++) put_entry(out, type, i, i == from);
    buf_text(out, "]}");
    town.pages++;
}

static void answer_chart(struct buf *out, int type, long patient)
{
    bundle_begin(out, NULL);
    for (long i = patient; type >= 0 && i < town.events[type]; i += town.patients)
        put_entry(out, type, i, i == patient);
    buf_text(out, "]}");
    town.charts++;
}

static void answer_metadata(struct buf *out)
{
    static const char *const all[] = { "MedicationRequest", "Observation",        "Condition",
                                       "Procedure",         "AllergyIntolerance", "Patient" };

    buf_text(out, "{\"resourceType\":\"CapabilityStatement\",\"fhirVersion\":\"4.0.1\",\"rest\":[{"
                  "\"mode\":\"server\",\"resource\":[{\"type\":\"DetectedIssue\",\"versioning\":"
                  "\"versioned\",\"updateCreate\":true,\"conditionalCreate\":true},{\"type\":"
                  "\"Device\",\"updateCreate\":true}");
    for (size_t i = 0; i < ARRAY_SIZE(all); i++)
        buf_printf(out,
                   ",{\"type\":\"%s\",\"interaction\":[{\"code\":\"read\"},{\"code\":"
                   "\"search-type\"}],\"searchParam\":[{\"name\":\"_lastUpdated\",\"type\":"
                   "\"date\"},{\"name\":\"patient\",\"type\":\"reference\"}]}",
                   all[i]);
    buf_text(out, "]}]}");
}

static int type_of(const char *path)
{
    for (int i = 0; i < 2; i++)
        if (strncmp(path, types[i], strlen(types[i])) == 0) return i;
    return -1;
}

/* The first event at or after that time. */
static long since(int type, const char *text)
{
    struct span span;

    if (!text || strncmp(text, "ge", 2) != 0 || !instant_parse(text + 2, &span)) return 0;
    if (span.start <= town.begin_ms) return 0;
    return (long)((double)(span.start - town.begin_ms) / INSTANT_DAY * (double)town.events[type]);
}

static void answer_search(struct buf *out, const char *path, struct MHD_Connection *connection)
{
    const char *patient = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "patient");
    const char *count = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "_count");
    const char *updated =
        MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "_lastUpdated");
    int type = type_of(path);
    long most = count ? strtol(count, NULL, 10) : PAGE_MAX;

    if (patient)
        answer_chart(out, type, strtol(patient + 1, NULL, 10));
    else if (type < 0)
        answer_chart(out, -1, 0);
    else
        answer_page(out, type, since(type, updated), most < PAGE_MAX ? most : PAGE_MAX);
}

static unsigned answer_get(struct buf *out, const char *path, struct MHD_Connection *connection)
{
    char type[40];
    long from, count;

    if (strcmp(path, "metadata") == 0) {
        answer_metadata(out);
    } else if (sscanf(path, "_page/%39[^/]/%ld/%ld", type, &from, &count) == 3) {
        answer_page(out, type_of(type), from, count);
    } else if (!strchr(path, '/')) {
        answer_search(out, path, connection);
    } else if (strncmp(path, "Patient/", 8) == 0) {
        town.reads++;
        buf_printf(out,
                   "{\"resourceType\":\"Patient\",\"id\":\"%s\",\"meta\":{\"versionId\":\"1\"},"
                   "\"gender\":\"male\",\"birthDate\":\"1956-01-01\"}",
                   path + 8);
    } else {
        town.reads++;
        return 404;
    }
    return 200;
}

static unsigned answer(struct buf *out, const char *method, const char *url,
                       struct MHD_Connection *connection)
{
    if (strcmp(url, "/stats") == 0) {
        buf_printf(out, "pages %ld\ncharts %ld\nreads %ld\nwrites %ld\n", town.pages, town.charts,
                   town.reads, town.writes);
        return 200;
    }
    if (strncmp(url, "/fhir/", 6) != 0) return 404;
    if (strcmp(method, "GET") == 0) return answer_get(out, url + 6, connection);
    town.writes++;
    buf_text(out, "{}");
    return 201;
}

static enum MHD_Result on_request(void *arg, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_len, void **state)
{
    static int head_seen;
    struct MHD_Response *response;
    struct buf out = { 0 };
    enum MHD_Result result;
    unsigned status;

    (void)arg;
    (void)version;
    (void)upload;
    if (!*state || *upload_len) {
        *state = &head_seen;
        *upload_len = 0;
        return MHD_YES;
    }
    status = answer(&out, method, url, connection);
    response =
        MHD_create_response_from_buffer(out.len, out.data ? out.data : NULL, MHD_RESPMEM_MUST_COPY);
    buf_done(&out);
    MHD_add_response_header(response, "Content-Type", "application/fhir+json");
    if (status == 201) MHD_add_response_header(response, "ETag", "W/\"1\"");
    result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

int main(int argc, char **argv)
{
    struct sockaddr_in here = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    struct MHD_Daemon *daemon;
    char byte;

    if (argc != 4) return 2;
    long events = strtol(argv[1], NULL, 10);
    town.events[0] = events / 10;
    town.events[1] = events - town.events[0];
    town.patients = strtol(argv[2], NULL, 10);
    town.ours = strtol(argv[3], NULL, 10);
    town.begin_ms = ((int64_t)time(NULL) - 86400) * 1000;
    daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, NULL,
                              MHD_OPTION_SOCK_ADDR, &here, MHD_OPTION_END);
    if (!daemon) return 1;
    town.port = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    printf("%u\n", town.port);
    fflush(stdout);
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
    MHD_stop_daemon(daemon);
    return 0;
}
