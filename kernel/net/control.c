/* kernel/net/control.c: control data of messages, cmsg(3). */
#include "abi/socket.h"
#include "base/string.h"
#include "net/internal.h"
#include "time/time.h"

bool control_next(const struct control *control, size_t *at, struct control_item *item, int *err)
{
    struct cmsghdr header;
    size_t left;

    *err = 0;
    if (!control || *at >= control->len)
        return false;
    left = control->len - *at;
    if (left < sizeof(header))
        return false;
    memcpy(&header, control->buf + *at, sizeof(header));
    if (header.cmsg_len < sizeof(header) || header.cmsg_len > left) {
        *err = -EINVAL;
        return false;
    }
    item->level = header.cmsg_level;
    item->type = header.cmsg_type;
    item->data = control->buf + *at + sizeof(header);
    item->len = header.cmsg_len - sizeof(header);
    *at += CMSG_ALIGN(
        header.cmsg_len); /* cannot overflow: the length was compared with what is left */
    return true;
}

void control_put(struct message *msg, int level, int type, const void *data, size_t len)
{
    struct control *control = msg->control;
    struct cmsghdr header = {.cmsg_len = CMSG_LEN(len), .cmsg_level = level, .cmsg_type = type};
    size_t left = control ? control->room - control->len : 0;
    u8 *to;

    if (left < sizeof(header)) {
        msg->out_flags |= MSG_CTRUNC;
        return;
    }
    if (left < header.cmsg_len) {
        msg->out_flags |= MSG_CTRUNC;
        header.cmsg_len = left;
    }
    to = control->buf + control->len;
    memcpy(to, &header, sizeof(header));
    memcpy(to + sizeof(header), data, header.cmsg_len - sizeof(header));
    len = MIN(CMSG_ALIGN(header.cmsg_len), left);
    memset(to + header.cmsg_len, 0, len - header.cmsg_len);
    control->len += len;
}

void control_put_timestamp(struct message *msg, const struct socket *sock, ktime stamp)
{
    struct timespec ts = timespec_of(stamp);
    struct timeval tv = {.tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / NSEC_PER_USEC};

    if (socket_option(sock, SOCKET_TIMESTAMPNS))
        control_put(msg, SOL_SOCKET, SO_TIMESTAMPNS_OLD, &ts, sizeof(ts));
    else if (socket_option(sock, SOCKET_TIMESTAMPNS_NEW))
        control_put(msg, SOL_SOCKET, SO_TIMESTAMPNS_NEW, &ts, sizeof(ts));
    else if (socket_option(sock, SOCKET_TIMESTAMP))
        control_put(msg, SOL_SOCKET, SO_TIMESTAMP_OLD, &tv, sizeof(tv));
    else if (socket_option(sock, SOCKET_TIMESTAMP_NEW))
        control_put(msg, SOL_SOCKET, SO_TIMESTAMP_NEW, &tv, sizeof(tv));
}

void control_close_files(const struct control *control)
{
    struct control_item item;
    size_t at = 0;
    int err;

    while (control_next(control, &at, &item, &err)) {
        if (item.level != SOL_SOCKET || item.type != SCM_RIGHTS)
            continue;
        for (size_t i = 0; i < item.len / sizeof(int); i++)
            fd_close(((const int *)item.data)[i]);
    }
}
