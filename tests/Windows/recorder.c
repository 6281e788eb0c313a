// Stands in for cimwriter.dll and cimfs.dll: writes down every call as one line of JSON, as the recorded traces are written
// (tests/CimConvert.Tests/Data/Parity/README.md), and fails where it is told to. Built in the test run with x86_64-w64-mingw32-gcc.
//
// Environment:
//   CIM_TRACE     folder that gets one file for each CIM, NNN.jsonl in the order they are created, so that CIMs written at
//                 once do not mix; calls on no CIM go to mounts.jsonl
//   CIM_FAIL      OP or OP:N[:HRESULT in hex]: the Nth call of that op (the first if not said) fails, with E_ACCESSDENIED
//                 (0x80070005) if not said; an op is named as in the trace
//   CIM_UNSEALED  if set, CimGetVerificationInformation reports that the CIM is not sealed
//   CIM_DIGEST    hex digit pair that the digest of CimGetVerificationInformation consists of, "ab" if not set
#include "trace.h"

#define EXPORT __declspec(dllexport)
#define HASH_SIZE 32
#define BLOCK_SIZE 4096
#define ON_DEVICE 4
#define FNV_START 0x14650fb0739d0383ull
#define FNV_PRIME 1099511628211ull

typedef struct {
    uint32_t attributes;
    int64_t file_size;
    int64_t creation_time, last_write_time, change_time, last_access_time;
    const uint8_t *sd;
    uint32_t sd_size;
    const uint8_t *reparse;
    uint32_t reparse_size;
    const uint8_t *ea;
    uint32_t ea_size;
} file_metadata;

typedef struct {
    const WCHAR *directory;
    const WCHAR *name;
} image_path;

typedef struct {
    HANDLE file;
    int number;
} image;

typedef struct {
    image *owner;
    uint64_t bytes;
    uint64_t hash;
} stream;

static stream *open_stream(image *owner)
{
    stream *s = calloc(1, sizeof *s);
    s->owner = owner;
    s->hash = FNV_START;
    return s;
}

EXPORT HRESULT CimCreateImage2(const WCHAR *path, uint32_t flags, const WCHAR *old_name, const WCHAR *new_name, image **result)
{
    line l;
    lock();
    HRESULT hr = outcome("CreateImage2");
    int trace = new_trace(path);
    begin(&l, "CreateImage2");
    string(&l, "path", path);
    number(&l, "flags", flags);
    string(&l, "old", old_name);
    string(&l, "new", new_name);
    if (SUCCEEDED(hr)) {
        HANDLE file = NULL;
        if (!(flags & ON_DEVICE)) {
            // Not shared, as long as it is open: whoever reads it before it is closed is wrong.
            uint8_t block[BLOCK_SIZE] = {0};
            DWORD written;
            file = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
            if (file == INVALID_HANDLE_VALUE)
                hr = HRESULT_FROM_WIN32(GetLastError());
            else
                WriteFile(file, block, sizeof block, &written, NULL);
        }
        if (SUCCEEDED(hr)) {
            *result = calloc(1, sizeof **result);
            (*result)->file = file;
            (*result)->number = trace;
        }
    }
    end(&l, trace);
    return hr;
}

// A region file and a .cim file that names it: what is moved to its place has to be something.
static HRESULT make_set(const WCHAR *folder, const WCHAR *name, int number, HANDLE *region)
{
    WCHAR path[1100];
    DWORD written;
    uint8_t header[72] = "cimfile0";
    header[8] = sizeof header;
    header[16] = 2;
    header[32] = (uint8_t)number;
    header[48] = 1;
    swprintf(path, 1100, L"%ls\\%ls", folder, name);
    HANDLE cim = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    if (cim == INVALID_HANDLE_VALUE)
        return HRESULT_FROM_WIN32(GetLastError());
    WriteFile(cim, header, sizeof header, &written, NULL);
    CloseHandle(cim);
    swprintf(path, 1100, L"%ls\\region_%08x-0000-0000-0000-000000000000_0", folder, number);
    *region = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    return *region == INVALID_HANDLE_VALUE ? HRESULT_FROM_WIN32(GetLastError()) : S_OK;
}

// Of a standard CIM; the one to fork from must be in the folder, with its region.
EXPORT HRESULT CimCreateImage(const WCHAR *folder, const WCHAR *old_name, const WCHAR *new_name, image **result)
{
    line l;
    WCHAR path[1100];
    lock();
    HRESULT hr = outcome("CreateImage");
    int trace = new_trace(folder);
    begin(&l, "CreateImage");
    string(&l, "path", folder);
    string(&l, "old", old_name);
    string(&l, "new", new_name);
    if (SUCCEEDED(hr) && old_name) {
        swprintf(path, 1100, L"%ls\\%ls", folder, old_name);
        if (GetFileAttributesW(path) == INVALID_FILE_ATTRIBUTES)
            hr = HRESULT_FROM_WIN32(GetLastError());
    }
    if (SUCCEEDED(hr)) {
        HANDLE region = NULL;
        hr = make_set(folder, new_name, trace, &region);
        if (SUCCEEDED(hr)) {
            *result = calloc(1, sizeof **result);
            (*result)->file = region;
            (*result)->number = trace;
        }
    }
    end(&l, trace);
    return hr;
}

EXPORT HRESULT CimCreateFile(image *owner, const WCHAR *path, const file_metadata *m, stream **result)
{
    line l;
    lock();
    HRESULT hr = outcome("CreateFile");
    begin(&l, "CreateFile");
    string(&l, "path", path);
    number(&l, "attr", m->attributes);
    number(&l, "size", m->file_size);
    number(&l, "ct", m->creation_time);
    number(&l, "wt", m->last_write_time);
    number(&l, "cht", m->change_time);
    number(&l, "at", m->last_access_time);
    hex(&l, "sd", m->sd, m->sd_size);
    hex(&l, "rp", m->reparse, m->reparse_size);
    hex(&l, "ea", m->ea, m->ea_size);
    if (SUCCEEDED(hr))
        *result = open_stream(owner);
    end(&l, owner->number);
    return hr;
}

EXPORT HRESULT CimCreateAlternateStream(image *owner, const WCHAR *path, uint64_t size, stream **result)
{
    line l;
    lock();
    HRESULT hr = outcome("CreateAlternateStream");
    begin(&l, "CreateAlternateStream");
    string(&l, "path", path);
    number(&l, "size", (int64_t)size);
    if (SUCCEEDED(hr))
        *result = open_stream(owner);
    end(&l, owner->number);
    return hr;
}

// Not in the trace: how data is cut into calls is nobody's business.
EXPORT HRESULT CimWriteStream(stream *s, const uint8_t *buffer, uint32_t size)
{
    lock();
    HRESULT hr = outcome("WriteStream");
    LeaveCriticalSection(&gate);
    if (FAILED(hr))
        return hr;
    s->bytes += size;
    for (uint32_t i = 0; i < size; i++)
        s->hash = (s->hash ^ buffer[i]) * FNV_PRIME;
    return S_OK;
}

EXPORT HRESULT CimCloseStream(stream *s)
{
    line l;
    char hash[24];
    lock();
    HRESULT hr = outcome("CloseStream");
    begin(&l, "CloseStream");
    number(&l, "bytes", (int64_t)s->bytes);
    snprintf(hash, sizeof hash, "\"%016llx\"", (unsigned long long)s->hash);
    key(&l, "fnv");
    text(&l, hash);
    end(&l, s->owner->number);
    free(s);
    return hr;
}

static HRESULT link_call(const char *op, const image *owner, const WCHAR *new_path, const WCHAR *old_path)
{
    line l;
    lock();
    HRESULT hr = outcome(op);
    begin(&l, op);
    string(&l, "new", new_path);
    string(&l, "old", old_path);
    end(&l, owner->number);
    return hr;
}

static HRESULT path_call(const char *op, int trace, const WCHAR *path)
{
    line l;
    lock();
    HRESULT hr = outcome(op);
    begin(&l, op);
    string(&l, "path", path);
    end(&l, trace);
    return hr;
}

EXPORT HRESULT CimCreateHardLink(image *owner, const WCHAR *new_path, const WCHAR *old_path)
{
    return link_call("CreateHardLink", owner, new_path, old_path);
}

EXPORT HRESULT CimCreateMergeLink(image *owner, const WCHAR *new_path, const WCHAR *old_path)
{
    return link_call("CreateMergeLink", owner, new_path, old_path);
}

EXPORT HRESULT CimTombstoneFile(image *owner, const WCHAR *path)
{
    return path_call("TombstoneFile", owner->number, path);
}

EXPORT HRESULT CimDeletePath(image *owner, const WCHAR *path)
{
    return path_call("DeletePath", owner->number, path);
}

EXPORT HRESULT CimCommitImage(image *owner)
{
    line l;
    lock();
    HRESULT hr = outcome("CommitImage");
    begin(&l, "CommitImage");
    end(&l, owner->number);
    return hr;
}

EXPORT void CimCloseImage(image *owner)
{
    line l;
    lock();
    begin(&l, "CloseImage");
    if (owner->file)
        CloseHandle(owner->file);
    end(&l, owner->number);
    free(owner);
}

EXPORT HRESULT CimAddFsToMergedImage2(image *owner, const WCHAR *path, uint32_t flags)
{
    line l;
    lock();
    HRESULT hr = outcome("AddFsToMergedImage2");
    begin(&l, "AddFsToMergedImage2");
    string(&l, "path", path);
    number(&l, "flags", flags);
    end(&l, owner->number);
    return hr;
}

EXPORT HRESULT CimSealImage(const WCHAR *path, uint64_t *hash_size, uint64_t *header_size, uint8_t *hash)
{
    *hash_size = HASH_SIZE;
    *header_size = BLOCK_SIZE;
    memset(hash, 0xab, HASH_SIZE);
    return path_call("SealImage", trace_of(path), path);
}

#ifndef WITHOUT_VERIFICATION
EXPORT HRESULT CimGetVerificationInformation(const WCHAR *path, uint32_t *is_sealed, uint64_t *hash_size, uint64_t *signature_size,
                                             uint64_t *header_size, uint8_t *hash, uint8_t *signature)
{
    char value[8];
    (void)signature;
    *is_sealed = !variable("CIM_UNSEALED", value, sizeof value);
    *hash_size = HASH_SIZE;
    *signature_size = 0;
    *header_size = BLOCK_SIZE;
    memset(hash, variable("CIM_DIGEST", value, sizeof value) ? (int)strtoul(value, NULL, 16) : 0xab, HASH_SIZE);
    return path_call("GetVerificationInformation", trace_of(path), path);
}
#endif

static void volume(line *l, const GUID *id)
{
    WCHAR value[40];
    wsprintfW(value, L"%08lx-%04x-%04x-%02x%02x-%02x%02x%02x%02x%02x%02x", id->Data1, id->Data2, id->Data3, id->Data4[0], id->Data4[1],
              id->Data4[2], id->Data4[3], id->Data4[4], id->Data4[5], id->Data4[6], id->Data4[7]);
    string(l, "volume", value);
}

static HRESULT mount_call(const char *op, uint32_t count, const image_path *paths, uint32_t flags, const GUID *id, uint16_t hash_size,
                          const uint8_t *hash)
{
    line l;
    lock();
    HRESULT hr = outcome(op);
    begin(&l, op);
    for (uint32_t i = 0; i < count; i++) {
        string(&l, "dir", paths[i].directory);
        string(&l, "name", paths[i].name);
    }
    number(&l, "flags", flags);
    volume(&l, id);
    if (hash)
        hex(&l, "hash", hash, hash_size);
    end(&l, MOUNTS);
    return hr;
}

EXPORT HRESULT CimMountImage(const WCHAR *directory, const WCHAR *name, uint32_t flags, const GUID *id)
{
    image_path path = {directory, name};
    return mount_call("MountImage", 1, &path, flags, id, 0, NULL);
}

EXPORT HRESULT CimMergeMountImage(uint32_t count, const image_path *paths, uint32_t flags, const GUID *id)
{
    return mount_call("MergeMountImage", count, paths, flags, id, 0, NULL);
}

EXPORT HRESULT CimMountVerifiedImage(const WCHAR *directory, const WCHAR *name, uint32_t flags, const GUID *id, uint16_t hash_size,
                                     const uint8_t *hash)
{
    image_path path = {directory, name};
    return mount_call("MountVerifiedImage", 1, &path, flags, id, hash_size, hash);
}

EXPORT HRESULT CimMergeMountVerifiedImage(uint32_t count, const image_path *paths, uint32_t flags, const GUID *id, uint16_t hash_size,
                                          const uint8_t *hash)
{
    return mount_call("MergeMountVerifiedImage", count, paths, flags, id, hash_size, hash);
}

EXPORT HRESULT CimDismountImage(const GUID *id)
{
    return mount_call("DismountImage", 0, NULL, 0, id, 0, NULL);
}
