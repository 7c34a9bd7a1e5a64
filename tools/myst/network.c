/* tools/myst/network.c: the settings of --net, --publish and --dns. */
#include "settings.h"
#include "tool.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define DNS_MAX 3 /* as many as resolv.conf(5) has */

int settings_net(struct settings *settings, const char *text)
{
    settings->net_none = strcmp(text, "none") == 0;
    if (!settings->net_none && strcmp(text, "host") != 0)
        return settings_refuse(settings, "'%s' is not none or host", text);
    return 0;
}

static bool is_address(const char *text)
{
    struct in6_addr ip;

    return inet_pton(AF_INET, text, &ip) == 1 || inet_pton(AF_INET6, text, &ip) == 1;
}

int settings_dns(struct settings *settings, const char *text)
{
    if (!is_address(text))
        return settings_refuse(settings, "'%s' is not an IP address", text);
    if (settings->dns.count == DNS_MAX)
        return settings_refuse(settings, "there can be %d name servers", DNS_MAX);
    list_append(&settings->dns, text);
    return 0;
}

/* 1 to 65535; false when the text is anything else. */
static bool read_port(const char *text, uint16_t *port)
{
    uint64_t value;
    const char *end = number_read(text, 65535, &value);

    if (!end || *end != '\0' || value == 0)
        return false;
    *port = (uint16_t)value;
    return true;
}

/* The address in front of the ports; one of IPv6 stands in brackets. *rest: what is behind it. */
static char *read_address(char *text, char **rest)
{
    char *end;

    if (*text == '[') {
        end = strchr(text, ']');
        if (!end || end[1] != ':')
            return NULL;
        *end = '\0';
        *rest = end + 2;
        return text + 1;
    }
    end = strchr(text, ':');
    if (!end || !strchr(text, '.'))
        return NULL;
    *end = '\0';
    *rest = end + 1;
    return text;
}

int settings_publish(struct settings *settings, const char *text)
{
    char *copy = must_strdup(text), *rest = copy, *address = read_address(copy, &rest), *colon;
    struct publish_setting port = {.address = address ? must_strdup(address) : NULL};
    bool good = !address || is_address(address);

    colon = strchr(rest, ':');
    if (colon)
        *colon = '\0';
    good = good && read_port(rest, &port.host_port);
    port.port = port.host_port;
    if (colon)
        good = good && read_port(colon + 1, &port.port);
    free(copy);
    if (!good) {
        free(port.address);
        return settings_refuse(settings, "'%s' is not [ADDRESS:]PORT[:PORT]", text);
    }
    settings->publish =
        must_realloc(settings->publish, (settings->publish_count + 1) * sizeof *settings->publish);
    settings->publish[settings->publish_count++] = port;
    return 0;
}
