#include "core/circuit.h"

#include "core/retry.h"

#define ASKED_MAX_MS INT64_C(3600000) /* a server that asks for more is asked before that */

enum circuit_gate circuit_ask(struct circuit *circuit, bool background, int64_t now_ms)
{
    bool again = background && circuit->background;

    if (!circuit_is_open(circuit)) return CIRCUIT_PASS;
    if (circuit->probing || now_ms < circuit->until_ms) return CIRCUIT_REFUSE;
    if (again && now_ms - circuit->until_ms < CIRCUIT_TURN_MS) return CIRCUIT_REFUSE;
    circuit->probing = true;
    circuit->background = background;
    return CIRCUIT_PROBE;
}

/* What was under way when the server named a wait does not unsay it. */
bool circuit_well(struct circuit *circuit, int64_t now_ms)
{
    bool news = circuit_is_open(circuit);

    if (now_ms < circuit->named_ms) return false;
    *circuit = (struct circuit){ 0 };
    return news;
}

static void pause_begin(struct circuit *circuit, int64_t now_ms, int64_t asked_ms, uint32_t jitter)
{
    static const struct retry_policy policy = { CIRCUIT_FIRST_MS, CIRCUIT_LONGEST_MS, UINT32_MAX,
                                                true };
    struct attempt attempt = { ++circuit->pauses, ERR_TRANSIENT, asked_ms };

    circuit->until_ms = retry_at(&policy, &attempt, now_ms, jitter);
}

/* What was under way when the pause began says nothing new, unless it names a longer wait. */
static void pause_stretch(struct circuit *circuit, int64_t now_ms, int64_t asked_ms)
{
    if (asked_ms > 0 && now_ms + asked_ms > circuit->until_ms)
        circuit->until_ms = now_ms + asked_ms;
}

bool circuit_ill(struct circuit *circuit, bool probe, int64_t now_ms, int64_t asked_ms,
                 uint32_t jitter)
{
    bool open = circuit_is_open(circuit);

    if (asked_ms > ASKED_MAX_MS) asked_ms = ASKED_MAX_MS;
    if (asked_ms > 0 && now_ms + asked_ms > circuit->named_ms)
        circuit->named_ms = now_ms + asked_ms;
    circuit->failures++;
    if (open && !probe) {
        pause_stretch(circuit, now_ms, asked_ms);
        return false;
    }
    if (probe) circuit->probing = false;
    if (!open && circuit->failures < CIRCUIT_AFTER && asked_ms <= 0) return false;
    pause_begin(circuit, now_ms, asked_ms, jitter);
    return !open;
}

void circuit_forget(struct circuit *circuit)
{
    circuit->probing = false;
}

int64_t circuit_wait_ms(const struct circuit *circuit, int64_t now_ms)
{
    return circuit_is_open(circuit) && circuit->until_ms > now_ms ? circuit->until_ms - now_ms : 0;
}
