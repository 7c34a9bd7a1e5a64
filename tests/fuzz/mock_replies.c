/*
 * tests/fuzz/mock_replies.c: lies from libFuzzer's bytes. The first one chooses the case; every five that follow
 * are a lie.
 */
#include "lies.h"

#include "mock_fuzz.h"

#define LIES_MAX 32
#define AGAIN    0x80 /* beside the kind */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct lie lies[LIES_MAX];
    size_t count = 0, which;

    if (!size)
        return 0;
    which = data[0] % lies_cases();
    for (size_t at = 1; at + 5 <= size && count < LIES_MAX; at += 5) {
        const uint8_t *b = data + at;

        lies[count++] = (struct lie){
            .reply = b[0] % MOCK_REPLIES,
            .nth = b[1],
            .kind = b[2] % 0x80 % LIE_COUNT,
            .again = b[2] & AGAIN,
            .value = b[3],
        };
        lies[count - 1].nth += b[4] % 16 * 256U;
    }
    if (getenv("FUZZ_VERBOSE")) {
        fprintf(stderr, "%s\n", lies_case_name(which));
        for (size_t i = 0; i < count; i++)
            fprintf(stderr, "    %s %s: reply %u%s %s, value %u\n",
                    mock_replies[lies[i].reply].call, mock_replies[lies[i].reply].field,
                    lies[i].nth, lies[i].again ? " and all later" : "",
                    lie_kind_names[lies[i].kind], lies[i].value);
    }
    lies_run(which, lies, count, NULL);
    return 0;
}
