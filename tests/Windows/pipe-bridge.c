// Leads a program under Wine to a daemon outside it: Wine has named pipes, as Windows has, but no Unix sockets. Listens on a pipe, and
// hands each connection to a TCP port of this machine, behind which SocketForwarder of the test kit hands it to the daemon's socket.
// Built in the test run with x86_64-w64-mingw32-gcc.
//
// Usage: pipe-bridge.exe NAME PORT. Writes "ready" when it listens, and runs until it is killed.
#include <winsock2.h>
#include <windows.h>
#include <stdio.h>
#include <stdlib.h>

#define BUFFER_SIZE 65536

typedef struct {
    HANDLE pipe;
    SOCKET server;
} connection;

static u_short port;

static int fail(const char *what)
{
    fprintf(stderr, "pipe-bridge: %s: error %lu\n", what, (unsigned long)GetLastError());
    exit(1);
}

// Waits for the end of a call on a pipe. The calls overlap, as the pipe is read and written at once.
static BOOL finish(HANDLE pipe, BOOL done, OVERLAPPED *overlapped, DWORD *count)
{
    BOOL ok = done || GetLastError() == ERROR_IO_PENDING ? GetOverlappedResult(pipe, overlapped, count, TRUE) : FALSE;
    CloseHandle(overlapped->hEvent);
    return ok;
}

static BOOL read_pipe(HANDLE pipe, char *buffer, DWORD *count)
{
    OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    return finish(pipe, ReadFile(pipe, buffer, BUFFER_SIZE, NULL, &overlapped), &overlapped, count);
}

static BOOL write_pipe(HANDLE pipe, const char *buffer, DWORD size)
{
    for (DWORD count; size > 0; buffer += count, size -= count) {
        OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
        if (!finish(pipe, WriteFile(pipe, buffer, size, NULL, &overlapped), &overlapped, &count))
            return FALSE;
    }
    return TRUE;
}

static BOOL send_all(SOCKET server, const char *buffer, DWORD size)
{
    for (int count; size > 0; buffer += count, size -= (DWORD)count) {
        count = send(server, buffer, (int)size, 0);
        if (count <= 0)
            return FALSE;
    }
    return TRUE;
}

static DWORD WINAPI to_server(void *argument)
{
    connection *c = argument;
    char *buffer = malloc(BUFFER_SIZE);
    DWORD count;
    while (read_pipe(c->pipe, buffer, &count) && send_all(c->server, buffer, count))
        ;
    // The daemon closes its end in turn, which ends the other direction.
    shutdown(c->server, SD_SEND);
    free(buffer);
    return 0;
}

static DWORD WINAPI serve(void *argument)
{
    connection *c = argument;
    char *buffer = malloc(BUFFER_SIZE);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    c->server = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(c->server, (struct sockaddr *)&address, sizeof address) == 0) {
        HANDLE other = CreateThread(NULL, 0, to_server, c, 0, NULL);
        for (int count; (count = recv(c->server, buffer, BUFFER_SIZE, 0)) > 0 && write_pipe(c->pipe, buffer, (DWORD)count);)
            ;
        // The client gets all there is; then the read of the other direction fails.
        FlushFileBuffers(c->pipe);
        DisconnectNamedPipe(c->pipe);
        shutdown(c->server, SD_BOTH);
        WaitForSingleObject(other, INFINITE);
        CloseHandle(other);
    }
    closesocket(c->server);
    CloseHandle(c->pipe);
    free(buffer);
    free(c);
    return 0;
}

static HANDLE listen_on(const WCHAR *name)
{
    HANDLE pipe = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED, PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_WAIT,
                                   PIPE_UNLIMITED_INSTANCES, BUFFER_SIZE, BUFFER_SIZE, 0, NULL);
    if (pipe == INVALID_HANDLE_VALUE)
        fail("CreateNamedPipe");
    return pipe;
}

int wmain(int argc, WCHAR **argv)
{
    WCHAR name[MAX_PATH];
    WSADATA data;
    if (argc != 3 || WSAStartup(MAKEWORD(2, 2), &data) != 0)
        return fail("NAME PORT");
    port = (u_short)_wtoi(argv[2]);
    swprintf(name, MAX_PATH, L"\\\\.\\pipe\\%ls", argv[1]);
    HANDLE next = listen_on(name);
    puts("ready");
    fflush(stdout);
    for (;;) {
        OVERLAPPED overlapped = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
        DWORD none;
        BOOL connected = ConnectNamedPipe(next, &overlapped);
        if (connected || GetLastError() == ERROR_PIPE_CONNECTED)
            CloseHandle(overlapped.hEvent);
        else if (!finish(next, FALSE, &overlapped, &none))
            fail("ConnectNamedPipe");
        connection *c = calloc(1, sizeof *c);
        c->pipe = next;
        // Before this one is served: a client must never find no instance at all.
        next = listen_on(name);
        CloseHandle(CreateThread(NULL, 0, serve, c, 0, NULL));
    }
}
