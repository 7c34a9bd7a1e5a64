/* tests/unit/host_network.c: what a launcher may say about the host's network. */
#include "unit.h"

#include <limits.h>
#include <string.h>
#include <sys/socket.h>

#include "rename.h"

#include "base/string.h"
#include "host/boot_net.h"
#include "host/descriptors.h"

#include <myst/boot.h>

#include "break.h"

static struct boot_interface interfaces[2];
static struct boot_address addresses[2], resolvers[1];
static struct boot_publish publish[1];
static struct boot_net net;

static int setup(void **state)
{
    memset(interfaces, 0, sizeof(interfaces));
    strcpy(interfaces[0].name, "eth0");
    strcpy(interfaces[1].name, "wlan0");
    interfaces[0].index = 2;
    interfaces[1].index = 3;
    interfaces[0].mtu = 1500;
    addresses[0] = (struct boot_address){.interface = 2, .family = AF_INET, .prefix = 24};
    addresses[1] = (struct boot_address){.interface = 2, .family = AF_INET6, .prefix = 128};
    resolvers[0] = (struct boot_address){.family = AF_INET};
    publish[0] = (struct boot_publish){.file = 30, .family = AF_INET, .port = 80};
    net = (struct boot_net){.outside = true,
                            .interfaces = interfaces,
                            .addresses = addresses,
                            .publish = publish,
                            .resolvers = resolvers,
                            .ninterfaces = 2,
                            .naddresses = 2,
                            .npublish = 1,
                            .nresolvers = 1,
                            .resolv_conf = "nameserver 192.0.2.1\n"};
    descriptor_drop(30);
    return 0;
}

static void assert_wrong(const char *field)
{
    const char *wrong = boot_net_check(&net);

    assert_non_null(wrong);
    assert_string_equal(wrong, field);
}

static void what_is_right_is_accepted(void **state)
{
    assert_null(boot_net_check(&net));
    memset(&net, 0, sizeof(net));
    assert_null(boot_net_check(&net));
}

/* breaks: boot_ninterfaces */
static void interfaces_are_few_and_there(void **state)
{
    net.ninterfaces = 65;
    assert_wrong("ninterfaces");
    net.ninterfaces = 1;
    net.interfaces = NULL;
    assert_wrong("ninterfaces");
}

/* breaks: boot_naddresses */
static void addresses_are_few_and_there(void **state)
{
    net.naddresses = UINT_MAX;
    assert_wrong("naddresses");
    net.naddresses = 1;
    net.addresses = NULL;
    assert_wrong("naddresses");
}

/* breaks: boot_npublish */
static void published_ports_are_there(void **state)
{
    net.npublish = 65536;
    assert_wrong("npublish");
    net.npublish = 1;
    net.publish = NULL;
    assert_wrong("npublish");
}

/* breaks: boot_nresolvers */
static void name_servers_are_three_at_most(void **state)
{
    net.nresolvers = 4;
    assert_wrong("nresolvers");
    net.nresolvers = 1;
    net.resolvers = NULL;
    assert_wrong("nresolvers");
}

/* breaks: boot_resolv_conf */
static void text_ends(void **state)
{
    static char endless[(64 << 10) + 1];

    memset(endless, '#', sizeof(endless) - 1);
    net.resolv_conf = endless;
    assert_wrong("resolv_conf");
    net.resolv_conf = NULL;
    assert_null(boot_net_check(&net));
}

/* breaks: boot_interface_name boot_interface_index boot_interface_mtu */
static void interface_has_a_name_and_an_index(void **state)
{
    memset(interfaces[1].name, 'n', sizeof(interfaces[1].name));
    assert_wrong("interfaces: name");
    strcpy(interfaces[1].name, "");
    assert_wrong("interfaces: name");
    strcpy(interfaces[1].name, "ok");
    interfaces[1].index = 1; /* loopback's */
    assert_wrong("interfaces: index");
    interfaces[1].index = 1U << 31;
    assert_wrong("interfaces: index");
    interfaces[1].index = 3;
    interfaces[1].mtu = UINT_MAX;
    assert_null(boot_net_check(&net));
    assert_int_equal(interfaces[1].mtu, INT_MAX);
}

/* breaks: boot_address_family boot_address_prefix */
static void addresses_are_of_the_internet(void **state)
{
    addresses[1].family = AF_UNIX;
    assert_wrong("addresses: family");
    addresses[1].family = AF_INET;
    assert_wrong("addresses: prefix");
    addresses[1].family = AF_INET6;
    addresses[1].prefix = 129;
    assert_wrong("addresses: prefix");
    addresses[1].prefix = 64;
    resolvers[0].family = 0;
    assert_wrong("addresses: family");
}

/* breaks: boot_publish_file boot_publish_file_twice boot_publish_family */
static void published_socket_is_a_descriptor_of_its_own(void **state)
{
    publish[0].file = 2;
    assert_wrong("publish: file");
    publish[0].file = 30;
    assert_null(boot_net_check(&net));
    assert_wrong("publish: file");
    descriptor_drop(30);
    publish[0].family = 0;
    assert_wrong("publish: family");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(what_is_right_is_accepted, setup),
        cmocka_unit_test_setup(interfaces_are_few_and_there, setup),
        cmocka_unit_test_setup(addresses_are_few_and_there, setup),
        cmocka_unit_test_setup(published_ports_are_there, setup),
        cmocka_unit_test_setup(name_servers_are_three_at_most, setup),
        cmocka_unit_test_setup(text_ends, setup),
        cmocka_unit_test_setup(interface_has_a_name_and_an_index, setup),
        cmocka_unit_test_setup(addresses_are_of_the_internet, setup),
        cmocka_unit_test_setup(published_socket_is_a_descriptor_of_its_own, setup),
    };

    return cmocka_run_group_tests_name("host_network", tests, NULL, NULL);
}
