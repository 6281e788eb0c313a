using System.Security.Authentication;

namespace CimConvert.Registry.Http;

/// <summary>A server's certificate was refused; the message says why, of "its certificate", and what to do.</summary>
internal sealed class ServerCertificateException(string message) : AuthenticationException(message);
