/* queue: what waits, is set aside, owed, parked or dropped: list, show, retry, drop. */
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/command.h"
#include "app/config.h"
#include "app/queue.h"

#define BECAUSE_MAX 200
#define LIMIT       100   /* items of a state that are listed */
#define WAIT_MS     15000 /* for the daemon, which looks twice a second */

struct asking {
    const char *config_file, *store; /* store: NULL, or instead of that of the configuration */
    struct queue_which which;
    const char *because;
    int64_t limit;
    int json;     /* 0 text, 1 json */
    char **items; /* of the command line */
    int item_count;
    /* what the list has told */
    int64_t told[8], shown; /* by the bit of the state */
};

static int help(void)
{
    puts("usage: myeloma-adapter queue list [OPTION...]\n"
         "       myeloma-adapter queue show ITEM...\n"
         "       myeloma-adapter queue retry ITEM... | --state STATE | --reason CODE\n"
         "       myeloma-adapter queue drop --because TEXT ITEM... | --state ... | ...\n\n"
         "What has not come to its end. An ITEM is event/NUMBER or alert/KEY:\n\n"
         "  waiting   an event that is not evaluated yet\n"
         "  aside     an event that cannot be evaluated, with the reason\n"
         "  owed      an alert that the server has not got yet\n"
         "  parked    an alert that the server refused, with the reason\n"
         "  dropped   what an operator gave up, with what was said\n\n"
         "  --state STATE    only these (may be repeated; default: all but dropped)\n"
         "  --reason CODE    with this reason: the whole, or the code before its colon\n"
         "  --because TEXT   why it is given up; kept with it\n"
         "  --limit N        list at most so many of a state; default 100, 0: all\n"
         "  --format FORMAT  text (default), or json: one object a line\n"
         "  --config FILE    default: " ADAPTER_SYSCONFDIR "/adapter.json\n"
         "  --store FILE     the database, not the one that the configuration names\n\n"
         "retry evaluates an event again and sends an alert now. drop gives up: the event\n"
         "is not evaluated, the alert not sent until what it says changes. The daemon may\n"
         "run meanwhile. Nothing of a resource is shown but its type and ids.\n"
         "Exit code: 0 done; 1 nothing was found, or the store cannot be used; 2 wrong\n"
         "usage.");
    return 0;
}

/* ---- what is meant */

static bool item_parse(const char *text, struct queue_which *ret)
{
    char *end;

    *ret = (struct queue_which){ .key = "", .reason = "" };
    if (strncmp(text, "alert/", 6) == 0) {
        ret->key = text + 6;
        return ret->key[0] != '\0';
    }
    if (strncmp(text, "event/", 6) != 0) return false;
    errno = 0;
    ret->seq = strtoll(text + 6, &end, 10);
    return !errno && !*end && ret->seq > 0;
}

static bool because_fits(const char *text)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f) return false;
    return len > 0 && len <= BECAUSE_MAX && text[strspn(text, " ")];
}

/* The store that is meant; the text is borrowed from *ret_config, or the option. */
static bool store_of(const struct asking *asking, struct config **ret_config, const char **ret)
{
    struct err_list problems = { 0 };

    *ret_config = NULL;
    if ((*ret = asking->store)) return true;
    if (config_read(asking->config_file, ret_config, &problems)) {
        *ret = (*ret_config)->store;
    } else {
        command_problems(&problems);
        err_list_done(&problems);
    }
    return *ret != NULL;
}

static int failed(const struct err *err)
{
    char text[1024];

    fprintf(stderr, "myeloma-adapter queue: %s\n", err_text(err, text, sizeof text));
    return 1;
}

/* ---- list, show */

static int64_t *told_of(struct asking *asking, enum queue_state state)
{
    int bit = 0;

    while (!((unsigned)state >> bit & 1)) bit++;
    return &asking->told[bit];
}

/* One more than is shown is read, to know whether there are more. */
static void on_listed(const struct queue_item *item, void *arg)
{
    struct asking *asking = arg;
    int64_t *told = told_of(asking, item->state);

    if (++*told > asking->limit) return;
    if (!asking->json && !asking->shown) queue_print_heading();
    asking->shown++;
    if (asking->json)
        queue_print_json(item, false);
    else
        queue_print_line(item);
}

static void summary(const struct asking *asking)
{
    bool more = false;

    for (size_t i = 0; i < ARRAY_SIZE(asking->told); i++) more |= asking->told[i] > asking->limit;
    if (!asking->shown)
        puts("nothing");
    else if (more)
        printf("... and more: the %" PRId64
               " oldest of each state are shown, --limit 0 shows all\n",
               asking->limit);
}

static int list(struct asking *asking, struct queue *queue)
{
    int64_t limit = asking->limit < INT64_MAX ? asking->limit + 1 : asking->limit;
    struct err err;

    if (!queue_list(queue, &asking->which, limit, on_listed, asking, &err)) return failed(&err);
    if (!asking->json) summary(asking);
    return 0;
}

static void on_shown(const struct queue_item *item, void *arg)
{
    struct asking *asking = arg;

    if (asking->json) {
        queue_print_json(item, true);
    } else {
        if (asking->shown) putchar('\n');
        queue_print_whole(item);
    }
    asking->shown++;
}

static int show(struct asking *asking, struct queue *queue)
{
    struct queue_which which;
    struct err err;
    bool found;
    int code = 0;

    for (int i = 0; i < asking->item_count; i++) {
        if (!item_parse(asking->items[i], &which)) continue; /* was looked at before */
        if (!queue_show(queue, &which, on_shown, asking, &found, &err)) return failed(&err);
        if (found) continue;
        fprintf(stderr, "myeloma-adapter queue: there is no %s\n", asking->items[i]);
        code = 1;
    }
    return code;
}

static int look(struct asking *asking, const char *store,
                int (*tell)(struct asking *asking, struct queue *queue))
{
    struct queue *queue;
    struct err err;
    int code;

    if (!queue_open(store, &queue, &err)) return failed(&err);
    code = tell(asking, queue);
    queue_close(queue);
    return command_flush("queue") ? code : 1;
}

static int list_run(struct asking *asking, const char *store)
{
    return look(asking, store, list);
}

static int show_run(struct asking *asking, const char *store)
{
    return look(asking, store, show);
}

/* ---- retry, drop */

/* item: as it stands on the command line; NULL: what --state and --reason mean. */
static bool change_one(struct asking *asking, const char *store, enum queue_verb verb,
                       const char *item, int64_t *all, struct err *err)
{
    int64_t items;

    if (item && !item_parse(item, &asking->which)) return true; /* was looked at before */
    if (!queue_do(store, verb, &asking->which, asking->because, WAIT_MS, &items, err)) return false;
    *all += items;
    if (!items && item)
        fprintf(stderr, "myeloma-adapter queue: nothing to %s at %s\n",
                verb == QUEUE_DROP ? "drop" : "retry", item);
    return true;
}

static int change(struct asking *asking, const char *store, enum queue_verb verb)
{
    int64_t all = 0;
    struct err err;

    if (!asking->item_count && !change_one(asking, store, verb, NULL, &all, &err))
        return failed(&err);
    for (int i = 0; i < asking->item_count; i++)
        if (!change_one(asking, store, verb, asking->items[i], &all, &err)) return failed(&err);
    printf("%" PRId64 " %s\n", all, verb == QUEUE_DROP ? "dropped" : "to be tried again");
    return command_flush("queue") && all ? 0 : 1;
}

static int retry_run(struct asking *asking, const char *store)
{
    return change(asking, store, QUEUE_RETRY);
}

static int drop_run(struct asking *asking, const char *store)
{
    return change(asking, store, QUEUE_DROP);
}

/* ---- the verb */

static bool limit_parse(const char *text, int64_t *ret)
{
    char *end;

    errno = 0;
    *ret = strtoll(text, &end, 10);
    if (errno || end == text || *end || *ret < 0) return false;
    if (!*ret) *ret = INT64_MAX;
    return true;
}

/* 0 to go on; otherwise the exit code plus 1. */
static int option_take(struct asking *asking, int option, const char *value)
{
    static const char *const formats[] = { "text", "json", NULL };
    enum queue_state state;

    if (option == 's' && queue_state_parse(value, &state))
        asking->which.states |= state;
    else if (option == 's')
        return 1 + command_usage("queue",
                                 "no state \"%s\": waiting, aside, owed, parked or dropped", value);
    else if (option == 'r')
        asking->which.reason = value;
    else if (option == 'b' && !because_fits(value))
        return 1 +
               command_usage("queue", "--because wants one line of up to %d bytes", BECAUSE_MAX);
    else if (option == 'b')
        asking->because = value;
    else if (option == 'l' && !limit_parse(value, &asking->limit))
        return 1 + command_usage("queue", "--limit wants a number");
    else if (option == 'f')
        return command_format("queue", value, formats, &asking->json);
    else if (option == 'c')
        asking->config_file = value;
    else if (option == 'S')
        asking->store = value;
    else if (option == 'h')
        return 1 + help();
    else if (option == '?')
        return 1 + command_usage("queue", "an option was not understood");
    return 0;
}

static int options_take(struct asking *asking, int argc, char **argv)
{
    static const struct option options[] = {
        { "state", required_argument, NULL, 's' },
        { "reason", required_argument, NULL, 'r' },
        { "because", required_argument, NULL, 'b' },
        { "limit", required_argument, NULL, 'l' },
        { "format", required_argument, NULL, 'f' },
        { "config", required_argument, NULL, 'c' },
        { "store", required_argument, NULL, 'S' },
        { "help", no_argument, NULL, 'h' },
        { NULL, 0, NULL, 0 },
    };
    int option, stop;

    optind = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1)
        if ((stop = option_take(asking, option, optarg))) return stop;
    asking->items = argv + optind;
    asking->item_count = argc - optind;
    return 0;
}

static const struct action {
    const char *name;
    int (*run)(struct asking *asking, const char *store);
    bool changes;              /* so it wants to be told what: by items, or by state and reason */
    bool drops;                /* ... and why */
    const char *without_items; /* what is said where none is given; NULL: that will do */
    const char *with_items;    /* ... where some are */
} actions[] = {
    { .name = "list", .run = list_run, .with_items = "list takes no items" },
    { .name = "show", .run = show_run, .without_items = "show which item?" },
    { .name = "retry", .run = retry_run, .changes = true },
    { .name = "drop", .run = drop_run, .changes = true, .drops = true },
};

/* The rest of the line after the word; 0 to go on, as above. */
static int items_check(const struct asking *asking, const struct action *action)
{
    bool any = asking->which.states || asking->which.reason[0];
    struct queue_which which;
    const char *wrong;

    for (int i = 0; i < asking->item_count; i++)
        if (!item_parse(asking->items[i], &which))
            return 1 + command_usage("queue", "\"%s\" is no item: event/NUMBER or alert/KEY",
                                     asking->items[i]);
    if (asking->item_count && any)
        return 1 + command_usage("queue", "either items, or --state and --reason");
    if (action->changes && !asking->item_count && !any)
        return 1 + command_usage("queue", "%s what? Give items, --state or --reason", action->name);
    if (action->drops && !asking->because)
        return 1 + command_usage("queue", "drop wants --because TEXT: it is kept");
    if (!action->drops && asking->because)
        return 1 + command_usage("queue", "--because belongs to drop");
    wrong = asking->item_count ? action->with_items : action->without_items;
    return wrong ? 1 + command_usage("queue", "%s", wrong) : 0;
}

static int queue_run(struct asking *asking, const struct action *action)
{
    AUTO(config_free) struct config *config = NULL;
    const char *store;
    int stop = items_check(asking, action);

    if (stop) return stop - 1;
    if (!asking->which.states)
        asking->which.states = QUEUE_WAITING | QUEUE_ASIDE | QUEUE_OWED | QUEUE_PARKED;
    return store_of(asking, &config, &store) ? action->run(asking, store) : 1;
}

int command_queue(int argc, char **argv)
{
    struct asking asking = { .config_file = ADAPTER_SYSCONFDIR "/adapter.json",
                             .which = { .key = "", .reason = "" },
                             .limit = LIMIT };
    int stop = options_take(&asking, argc, argv);
    const char *word;

    if (stop) return stop - 1;
    if (!asking.item_count) return command_usage("queue", "list, show, retry or drop?");
    word = *asking.items++;
    asking.item_count--;
    for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
        if (strcmp(actions[i].name, word) == 0) return queue_run(&asking, &actions[i]);
    return command_usage("queue", "\"%s\" is none of list, show, retry, drop", word);
}
