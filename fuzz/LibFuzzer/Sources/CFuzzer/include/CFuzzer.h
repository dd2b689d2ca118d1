#include <stddef.h>
#include <stdint.h>

/* libFuzzer as a library: runs until its flags say so, and then exits. */
int LLVMFuzzerRunDriver(int *argc, char ***argv, int (*callback)(const uint8_t *data, size_t size));
