' A program that knows nothing of this project: it brings a raw disk to one NTFS volume, as on Windows.
Set locator = CreateObject("WbemScripting.SWbemLocator")
Set wmi = locator.ConnectServer(".", "root\Microsoft\Windows\Storage")

Sub Say(name, value)
  WScript.Echo name & " " & TypeName(value) & " " & value
End Sub

For Each disk In wmi.ExecQuery("SELECT Number, Size, IsOffline, Path FROM MSFT_Disk WHERE IsSystem = FALSE")
  Say "Number", disk.Number
  Say "Size", disk.Size
  Say "IsOffline", disk.IsOffline
  style = 2
  Say "Initialize", disk.Initialize(style, status)
  WScript.Echo "style " & style & ", status " & TypeName(status)
  Say "again", disk.Initialize(style, status)
  WScript.Echo status.Message

  ' Named parameters, in any order; what is not given is NULL.
  Set given = disk.Methods_("CreatePartition").InParameters.SpawnInstance_()
  given.GptType = "{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}"
  given.Properties_("UseMaximumSize").Value = True
  Set made = disk.ExecMethod_("CreatePartition", given)
  Say "CreatePartition", made.ReturnValue
  Set partition = made.CreatedPartition
  Say "PartitionNumber", partition.PartitionNumber
  Say "DriveLetter", partition.DriveLetter
  Say "GetSupportedSize", partition.GetSupportedSize(least, most, status)
  Say "SizeMin", least

  For Each volume In partition.Associators_("MSFT_PartitionToVolume", "MSFT_Volume")
    WScript.Echo "Format " & volume.Format("NTFS", "data", Empty, False, True)
    Set again = wmi.Get(volume.Path_.RelPath)
    Say "FileSystem", again.FileSystem
    Say "AllocationUnitSize", again.AllocationUnitSize
    states = again.OperationalStatus
    WScript.Echo "OperationalStatus " & states(0)
  Next
Next

WScript.Echo "rescan " & wmi.Get("MSFT_StorageSetting").UpdateHostStorageCache()
Set names = locator.ConnectServer(".", "root\cimv2").ExecQuery("SELECT Name FROM Win32_Service WHERE Name = 'msiscsi'")
WScript.Echo "services " & names.Count
On Error Resume Next
Set nothing_ = wmi.ExecQuery("SELECT Nothing FROM MSFT_Disk")
WScript.Echo "refused " & Hex(Err.Number) & " " & (Len(Err.Description) > 0)
