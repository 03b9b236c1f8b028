; Makes the setup program: it installs for the user who runs it, and asks for no rights.
!define UNINSTALL "Software\Microsoft\Windows\CurrentVersion\Uninstall\${ID}"
!define RUN "Software\Microsoft\Windows\CurrentVersion\Run"

Unicode true
ManifestDPIAware true
SetCompressor /SOLID lzma
RequestExecutionLevel user
Name "${NAME}"
OutFile "${OUT}"
Icon "${ICON}"
UninstallIcon "${ICON}"
InstallDir "$LOCALAPPDATA\Programs\${NAME}"
InstallDirRegKey HKCU "${UNINSTALL}" "InstallLocation"
BrandingText "${NAME} ${VERSION}"
VIProductVersion "${DOTTED}"
VIAddVersionKey "ProductName" "${NAME}"
VIAddVersionKey "ProductVersion" "${VERSION}"
VIAddVersionKey "FileDescription" "${NAME}"
VIAddVersionKey "FileVersion" "${VERSION}"
VIAddVersionKey "LegalCopyright" "MIT License"

LoadLanguageFile "${NSISDIR}\Contrib\Language files\English.nlf"
LoadLanguageFile "${NSISDIR}\Contrib\Language files\SimpChinese.nlf"
LangString RUNS ${LANG_ENGLISH} "${NAME} is running. Quit it from its icon in the notification area, then choose Retry."
LangString RUNS ${LANG_SIMPCHINESE} "${NAME} 正在运行。请先通过通知区域的图标退出，然后点“重试”。"

Page directory
Page instfiles
UninstPage uninstConfirm
UninstPage instfiles

; Files of a program that runs cannot be written.
!macro wait
	again:
	IfFileExists "$INSTDIR\apex-ai-proxy.exe" 0 free
	ClearErrors
	FileOpen $0 "$INSTDIR\apex-ai-proxy.exe" a
	IfErrors 0 close
	MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(RUNS)" /SD IDCANCEL IDRETRY again
	Abort
	close:
	FileClose $0
	free:
!macroend

Section
	!insertmacro wait
	SetOutPath "$INSTDIR"
	File /r "${FILES}\*"
	WriteUninstaller "$INSTDIR\uninstall.exe"
	CreateShortcut "$SMPROGRAMS\${NAME}.lnk" "$INSTDIR\apex-ai-proxy.exe"
	WriteRegStr HKCU "${UNINSTALL}" "DisplayName" "${NAME}"
	WriteRegStr HKCU "${UNINSTALL}" "DisplayVersion" "${VERSION}"
	WriteRegStr HKCU "${UNINSTALL}" "DisplayIcon" "$INSTDIR\apex-ai-proxy.exe"
	WriteRegStr HKCU "${UNINSTALL}" "Publisher" "The ${NAME} authors"
	WriteRegStr HKCU "${UNINSTALL}" "InstallLocation" "$INSTDIR"
	WriteRegStr HKCU "${UNINSTALL}" "UninstallString" '"$INSTDIR\uninstall.exe"'
	WriteRegStr HKCU "${UNINSTALL}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
	WriteRegDWORD HKCU "${UNINSTALL}" "NoModify" 1
	WriteRegDWORD HKCU "${UNINSTALL}" "NoRepair" 1
SectionEnd

; Settings and secrets stay.
Section Uninstall
	!insertmacro wait
	Delete "$INSTDIR\apex-ai-proxy.exe"
	Delete "$INSTDIR\apex-ai-proxy.com"
	Delete "$INSTDIR\LICENSE.txt"
	Delete "$INSTDIR\THIRD-PARTY.txt"
	Delete "$INSTDIR\uninstall.exe"
	RMDir "$INSTDIR"
	Delete "$SMPROGRAMS\${NAME}.lnk"
	ReadRegStr $0 HKCU "${RUN}" "${NAME}"
	StrLen $1 '"$INSTDIR\'
	StrCpy $0 $0 $1
	StrCmp $0 '"$INSTDIR\' 0 +2
	DeleteRegValue HKCU "${RUN}" "${NAME}"
	DeleteRegKey HKCU "${UNINSTALL}"
SectionEnd
