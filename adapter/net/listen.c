#include "net/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <uv.h>

#define BACKLOG 512 /* connections that the kernel may hold for us */

union address {
    struct sockaddr any;
    struct sockaddr_in ip4;
    struct sockaddr_in6 ip6;
};

static bool listen_fail(const char *address, uint16_t port, int error, struct err *err)
{
    err_set(err, ERR_SYSTEM, "listen.address", "cannot listen: %s", strerror(error));
    if (error == EADDRINUSE)
        err_fix(err, "stop the program that has port %u, or use another port", port);
    else if (error == EACCES)
        err_fix(err, "use a port from 1024 up, or give the service CAP_NET_BIND_SERVICE");
    else
        err_fix(err, "use an address of this machine, in numbers: 127.0.0.1, 0.0.0.0, ::");
    return err_at(err, "%s port %u", address, port);
}

static int socket_open(const union address *addr)
{
    int on = 1, off = 0, error;
    int fd = socket(addr->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    socklen_t len = addr->any.sa_family == AF_INET6 ? sizeof addr->ip6 : sizeof addr->ip4;

    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    /* "::" takes IPv4 too, whatever the system's default is */
    if (len == sizeof addr->ip6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    if (bind(fd, &addr->any, len) == 0 && listen(fd, BACKLOG) == 0) return fd;
    error = errno;
    close(fd);
    errno = error;
    return -1;
}

bool listen_open(const char *address, uint16_t port, int *ret_fd, uint16_t *ret_port,
                 struct err *err)
{
    union address addr = { 0 };
    socklen_t len = sizeof addr;
    int fd;

    if (uv_ip4_addr(address, port, &addr.ip4) != 0 && uv_ip6_addr(address, port, &addr.ip6) != 0)
        return listen_fail(address, port, EADDRNOTAVAIL, err);
    fd = socket_open(&addr);
    if (fd < 0) return listen_fail(address, port, errno, err);
    getsockname(fd, &addr.any, &len);
    *ret_fd = fd;
    *ret_port = ntohs(addr.any.sa_family == AF_INET6 ? addr.ip6.sin6_port : addr.ip4.sin_port);
    return true;
}
