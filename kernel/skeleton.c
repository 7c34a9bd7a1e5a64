/* kernel/skeleton.c: stands in for rooms that are not built yet; each definition goes when its room comes. */
#include "log/log.h"
#include "self/self.h"

#include <myst/boot.h>

#define STAND_IN __attribute__((weak))

STAND_IN void upcall_fault(const struct target_fault *fault)
{
    panic("the program faults: signal %u at %llx, address %llx", fault->signo,
          (unsigned long long)self()->thread.regs.rip, (unsigned long long)fault->address);
}

STAND_IN bool upcall_kernel_fault(const struct target_fault *fault)
{
    return false;
}

STAND_IN int64_t upcall_service(void)
{
    return TARGET_FOREVER;
}

STAND_IN void upcall_event(int event)
{
}

STAND_IN void upcall_report(void)
{
}

STAND_IN void upcall_broken(const struct target_fault *fault, uint64_t rip, uint64_t rbp,
                            uint64_t rsp)
{
    panic("the kernel faults: signal %u at %llx, address %llx, frame %llx, stack %llx",
          fault->signo, (unsigned long long)rip, (unsigned long long)fault->address,
          (unsigned long long)rbp, (unsigned long long)rsp);
}
