// What the recorder writes, and when it fails: the trace files, one for each CIM, the lines of JSON in them, and the calls that
// are to fail. recorder.c says by which environment variables.
#ifndef TRACE_H
#define TRACE_H

#include <windows.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <wchar.h>

static INIT_ONCE once = INIT_ONCE_STATIC_INIT;
static CRITICAL_SECTION gate;
static char counted[64][40];
static int counts[64];

// Paths of the CIMs created by this process, and the numbers of their traces: later calls name only the path.
#define MOST_IMAGES 64
#define MOUNTS (-1)
static WCHAR created[MOST_IMAGES][1024];
static int traces[MOST_IMAGES];
static int images;

static BOOL CALLBACK start(PINIT_ONCE o, PVOID p, PVOID *c)
{
    (void)o; (void)p; (void)c;
    InitializeCriticalSection(&gate);
    return TRUE;
}

static void lock(void)
{
    InitOnceExecuteOnce(&once, start, NULL, NULL);
    EnterCriticalSection(&gate);
}

// The environment as it is now: the C runtime's copy is another.
static int variable(const char *name, char *value, int size)
{
    DWORD length = GetEnvironmentVariableA(name, value, size);
    return length > 0 && length < (DWORD)size;
}

// What the call is to return, counting the calls of its op.
static HRESULT outcome(const char *op)
{
    char wanted[128];
    int i = 0;
    while (counted[i][0] != 0 && strcmp(counted[i], op) != 0)
        i++;
    strcpy(counted[i], op);
    counts[i]++;
    if (!variable("CIM_FAIL", wanted, sizeof wanted))
        return S_OK;
    char *number = strchr(wanted, ':');
    char *code = number ? strchr(number + 1, ':') : NULL;
    if (number)
        *number++ = 0;
    if (code)
        *code++ = 0;
    if (strcmp(wanted, op) != 0 || counts[i] != (number ? atoi(number) : 1))
        return S_OK;
    return code ? (HRESULT)strtoul(code, NULL, 16) : E_ACCESSDENIED;
}

// The trace of a CIM, by the number, beside those that other processes left.
static void trace_path(WCHAR *path, int number)
{
    WCHAR folder[1024];
    DWORD length = GetEnvironmentVariableW(L"CIM_TRACE", folder, 1024);
    if (length == 0 || length >= 1024)
        ExitProcess(99);
    if (number == MOUNTS)
        swprintf(path, 1100, L"%ls\\mounts.jsonl", folder);
    else
        swprintf(path, 1100, L"%ls\\%03d.jsonl", folder, number);
}

static int new_trace(const WCHAR *image_path)
{
    WCHAR path[1100];
    int number = 0;
    HANDLE file = INVALID_HANDLE_VALUE;
    while (file == INVALID_HANDLE_VALUE) {
        if (number > 999)
            ExitProcess(98);
        trace_path(path, number++);
        file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    }
    CloseHandle(file);
    wcsncpy(created[images], image_path, 1023);
    traces[images++] = number - 1;
    return number - 1;
}

static int trace_of(const WCHAR *image_path)
{
    for (int i = images - 1; i >= 0; i--)
        if (wcscmp(created[i], image_path) == 0)
            return traces[i];
    ExitProcess(97);
}

typedef struct {
    char *text;
    size_t length, room;
} line;

static void put(line *l, const char *text, size_t length)
{
    if (l->length + length + 1 > l->room) {
        l->room = (l->length + length + 1) * 2;
        l->text = realloc(l->text, l->room);
    }
    memcpy(l->text + l->length, text, length);
    l->length += length;
    l->text[l->length] = 0;
}

static void text(line *l, const char *value) { put(l, value, strlen(value)); }

static void begin(line *l, const char *op)
{
    memset(l, 0, sizeof *l);
    text(l, "{\"op\":\"");
    text(l, op);
    text(l, "\"");
}

static void key(line *l, const char *name)
{
    text(l, ",\"");
    text(l, name);
    text(l, "\":");
}

static void number(line *l, const char *name, int64_t value)
{
    char digits[32];
    key(l, name);
    snprintf(digits, sizeof digits, "%lld", (long long)value);
    text(l, digits);
}

static void string(line *l, const char *name, const WCHAR *value)
{
    key(l, name);
    if (value == NULL) {
        text(l, "null");
        return;
    }
    int size = WideCharToMultiByte(CP_UTF8, 0, value, -1, NULL, 0, NULL, NULL);
    char *utf8 = malloc(size);
    WideCharToMultiByte(CP_UTF8, 0, value, -1, utf8, size, NULL, NULL);
    text(l, "\"");
    for (const char *c = utf8; *c; c++) {
        if (*c == '\\' || *c == '"')
            put(l, "\\", 1);
        put(l, c, 1);
    }
    text(l, "\"");
    free(utf8);
}

static void hex(line *l, const char *name, const uint8_t *bytes, size_t size)
{
    char pair[3];
    key(l, name);
    text(l, "\"");
    for (size_t i = 0; i < size; i++) {
        snprintf(pair, sizeof pair, "%02x", bytes[i]);
        text(l, pair);
    }
    text(l, "\"");
}

static void end(line *l, int trace)
{
    WCHAR path[1100];
    DWORD written;
    text(l, "}\n");
    trace_path(path, trace);
    HANDLE file = CreateFileW(path, FILE_APPEND_DATA, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL, OPEN_ALWAYS, 0, NULL);
    WriteFile(file, l->text, (DWORD)l->length, &written, NULL);
    CloseHandle(file);
    free(l->text);
    LeaveCriticalSection(&gate);
}

#endif
